import { type EventLog, FencedError } from '../contracts/event-log.ts';
import type { TerminalEvent } from '../contracts/run-event.ts';
import type { RunRecord, RunStatus } from '../contracts/run-store.ts';
import { runErrorOf } from './run-error.ts';

export function statusOf(terminal: TerminalEvent): RunStatus {
  switch (terminal.type) {
    case 'RunFinished':
      return 'SUCCEEDED';
    case 'RunFailed':
      return 'FAILED';
    case 'RunCancelled':
      return 'CANCELLED';
  }
}

/** The terminal event, rebuilt from the row of a run that has ended. */
export function terminalOf(run: RunRecord): TerminalEvent {
  const { usage, error } = run;
  if (run.status === 'SUCCEEDED') return { type: 'RunFinished', usage };
  if (run.status === 'CANCELLED') return { type: 'RunCancelled', reason: 'The run was cancelled.', usage };
  return { type: 'RunFailed', error: error ?? runErrorOf(new Error('a failed run without an error')), usage };
}

/**
 * Writes the end of a run into its log, where whoever should have done it could not. A log that has an end keeps it, and
 * one that is lost stays so: how far it had come is not known, and followers are told by the run.
 */
export async function endLog(log: EventLog, run: RunRecord): Promise<void> {
  const { lastSeq } = await log.read(run, 0, 1);
  if (lastSeq === 0) return;
  try {
    await log.append(run, run.attempt, [terminalOf(run)]);
  } catch (error) {
    if (!(error instanceof FencedError)) throw error;
  }
}
