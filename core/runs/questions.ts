import type { Clock } from '../contracts/clock.ts';
import { FencedError } from '../contracts/event-log.ts';
import type { AwaitedCallRecord, CallAnswer, ParkedRuns } from '../contracts/parked-runs.ts';
import type { RunRecord } from '../contracts/run-store.ts';
import type { AnswerBell } from './answer-bell.ts';
import type { Questions } from './live-run.ts';
import { persist } from './persist.ts';

/** Where a bell that another instance rang was not heard. */
const lookEveryMs = 5_000;

/** Of one attempt at a stored run. */
export function questionsOf(
  run: RunRecord,
  {
    parked,
    clock,
    bell,
    onLost,
  }: {
    readonly parked: ParkedRuns;
    readonly clock: Clock;
    readonly bell: AnswerBell;
    readonly onLost: () => void;
  },
): Questions {
  /** Read once, and only for who asks; before the first attempt nothing can have been answered. */
  let known: Promise<readonly AwaitedCallRecord[]> | null = run.attempt === 1 ? Promise.resolve([]) : null;
  const look = () => persist(() => parked.calls(run), clock);
  const isOf = (callId: string, round: number) => (call: AwaitedCallRecord) =>
    call.callId === callId && call.round === round;
  return {
    async ask(call) {
      if (await persist(() => parked.ask(run, call), clock)) return;
      onLost();
      throw new FencedError(run, run.attempt);
    },

    async answer(callId, round): Promise<CallAnswer | null> {
      known ??= look();
      return (await known).find(isOf(callId, round))?.answer ?? null;
    },

    async hasNews() {
      bell.hush();
      const before = (await known) ?? [];
      const now = await look();
      known = Promise.resolve(now);
      return now.some(
        ({ callId, round, answer }) => answer !== null && (before.find(isOf(callId, round))?.answer ?? null) === null,
      );
    },

    async untilNews(signal) {
      const waiting = new AbortController();
      try {
        await Promise.race([bell.rung(), clock.sleep(lookEveryMs, AbortSignal.any([signal, waiting.signal]))]);
      } finally {
        waiting.abort();
      }
    },
  };
}
