import type { Clock } from '../contracts/clock.ts';
import { FencedError } from '../contracts/event-log.ts';
import type { AwaitedCallRecord, CallAnswer, ParkedRuns } from '../contracts/parked-runs.ts';
import type { RunRecord } from '../contracts/run-store.ts';
import type { Questions } from './live-run.ts';
import { persist } from './persist.ts';

/** Of one attempt at a stored run. */
export function questionsOf(
  run: RunRecord,
  { parked, clock, onLost }: { readonly parked: ParkedRuns; readonly clock: Clock; readonly onLost: () => void },
): Questions {
  /** Read once, and only for who asks; the first attempt cannot have been answered. */
  let earlier: Promise<readonly AwaitedCallRecord[]> | null = null;
  return {
    async ask(call) {
      if (await persist(() => parked.ask(run, call), clock)) return;
      onLost();
      throw new FencedError(run, run.attempt);
    },

    async answer(callId, round): Promise<CallAnswer | null> {
      if (run.attempt === 1) return null;
      earlier ??= persist(() => parked.calls(run), clock);
      const asked = (await earlier).find((call) => call.callId === callId && call.round === round);
      return asked?.answer ?? null;
    },
  };
}
