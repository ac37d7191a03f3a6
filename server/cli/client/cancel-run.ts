import { z } from 'zod';
import type { Connection } from './connection.ts';
import { type Operation, request } from './request.ts';

/** After Ctrl-C nobody wants to wait longer. */
const cancelTimeoutMs = 5_000;

export const cancelRunOperation: Operation<unknown> = {
  document: 'mutation Cancel($runId: UUID!) { cancelRun(runId: $runId) { run { status } } }',
  data: z.unknown(),
};

/** Asks the gateway to stop a run. Returns false when that did not work; there is nothing more a command can do then. */
export async function cancelRun(connection: Connection, runId: string): Promise<boolean> {
  try {
    await request(connection, cancelRunOperation, { runId }, AbortSignal.timeout(cancelTimeoutMs));
    return true;
  } catch {
    return false;
  }
}
