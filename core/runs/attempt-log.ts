import type { Clock } from '../contracts/clock.ts';
import { type EventLog, FencedError, LogLostError } from '../contracts/event-log.ts';
import type { RunEvent, TerminalEvent } from '../contracts/run-event.ts';
import type { OwnedRun, RunStore } from '../contracts/run-store.ts';
import { persist } from './persist.ts';

/** What one attempt writes of its run. Both reject with FencedError once a later attempt has the run. */
export interface AttemptLog {
  /** Resolves with the newest seq. */
  append(events: readonly RunEvent[]): Promise<number>;
  /** For the attempt that has just written the run's end to the store. */
  end(terminal: TerminalEvent): Promise<number>;
}

/**
 * A log that is lost in the middle of an attempt has lost its fence too, and would take the words of an attempt that was fenced off
 * before. So the store is asked who owns the run, and the log is fenced anew, before anything more is written to it.
 */
export function attemptLog(
  {
    log,
    store,
    clock,
  }: { readonly log: EventLog; readonly store: Pick<RunStore, 'stillOwned'>; readonly clock: Clock },
  run: OwnedRun,
): AttemptLog {
  async function append(events: readonly RunEvent[], isOwner: () => Promise<boolean>): Promise<number> {
    for (;;) {
      try {
        return await log.append(run, run.attempt, events);
      } catch (error) {
        if (!(error instanceof LogLostError)) throw error;
        if (!(await isOwner())) throw new FencedError(run, run.attempt);
        await log.fence(run, run.attempt, error.lastSeq);
      }
    }
  }

  return {
    append: (events) =>
      append(events, async () => {
        const owned = await persist(() => store.stillOwned([run]), clock);
        return owned.length > 0;
      }),
    end: (terminal) => append([terminal], async () => true),
  };
}
