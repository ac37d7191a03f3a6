import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../client/connection.ts';
import { unreachableCode } from '../client/failures.ts';
import { request } from '../client/request.ts';
import { CommandError } from '../command-error.ts';
import type { IngestDocument } from '../documents/parsed.ts';
import { createCollectionOperation, startIngestOperation } from './ingest-operations.ts';

const waitsMs = [500, 1_000, 2_000, 4_000, 8_000];
const longestWaitMs = 60_000;

export interface IngestInput {
  readonly runId: string;
  readonly in: string;
  readonly documents: readonly IngestDocument[];
}

/**
 * Starts an ingest run. Waits when the gateway asks to, and tries again when it is away for a moment: with the same run id
 * that starts nothing twice. `patient: false` for the first run, so that a gateway that is not there is said at once.
 */
export async function startRun(
  connection: Connection,
  input: IngestInput,
  patient: boolean,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await request(connection, startIngestOperation, { input }, signal);
      return;
    } catch (error) {
      const waitMs = waitsMs[attempt];
      if (!(error instanceof CommandError) || waitMs === undefined) throw error;
      const mayPass = error.code === 'RATE_LIMITED' || (patient && error.code === unreachableCode);
      if (!mayPass) throw error;
      await pause(Math.min(error.retryAfterMs ?? waitMs, longestWaitMs), signal);
    }
  }
}

/** True when it was made, false when somebody else made it in the meantime. */
export async function createCollection(connection: Connection, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    await request(connection, createCollectionOperation, { input: { name } }, signal);
    return true;
  } catch (error) {
    if (error instanceof CommandError && error.code === 'CONFLICT') return false;
    throw error;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
