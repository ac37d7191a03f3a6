import { cancelRun } from '../client/cancel-run.ts';
import type { Connection } from '../client/connection.ts';
import { followRun } from '../client/follow-run.ts';
import { request } from '../client/request.ts';
import type { IngestResult } from '../client/run-event.ts';
import { CommandError } from '../command-error.ts';
import { ingestRunOperation, ingestSubscription } from './ingest-operations.ts';

/** How a run ended; `error` when it did not do all it was asked to. */
export interface EndedRun {
  readonly result: IngestResult | null;
  readonly error: CommandError | null;
}

const resultWithinMs = 5_000;

/** Follows an ingest run to its end. Aborting `signal` cancels the run; what it had done by then stays. */
export async function finishRun(
  connection: Connection,
  runId: string,
  progress: (done: number) => void,
  signal: AbortSignal,
): Promise<EndedRun> {
  try {
    for await (const event of followRun(connection, { query: ingestSubscription, variables: { runId } }, signal)) {
      switch (event.__typename) {
        case 'ProgressReported':
          progress(event.done);
          break;
        case 'RunFinished':
          return { result: await resultOf(connection, runId), error: null };
        case 'RunFailed':
          return unfinished(connection, runId, new CommandError(`${event.error.code}: ${event.error.message}`));
        case 'RunCancelled':
          return unfinished(connection, runId, new CommandError(`the run was cancelled: ${event.reason}`));
      }
    }
    throw new Error(`the events of run ${runId} ended without a last one`);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (signal.aborted) await cancelRun(connection, runId);
    return unfinished(connection, runId, error);
  }
}

async function unfinished(connection: Connection, runId: string, error: CommandError): Promise<EndedRun> {
  return { result: await resultOf(connection, runId).catch(() => null), error };
}

async function resultOf(connection: Connection, runId: string): Promise<IngestResult | null> {
  const { run } = await request(connection, ingestRunOperation, { runId }, AbortSignal.timeout(resultWithinMs));
  return run;
}
