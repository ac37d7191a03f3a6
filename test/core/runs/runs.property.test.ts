import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { GatewayError } from '../../../core/contracts/gateway-error.ts';
import { isTerminal } from '../../../core/contracts/run-event.ts';
import type { UnwatchedPolicy } from '../../../core/contracts/run-store.ts';
import { type FollowedEvent, followRun } from '../../../core/runs/follow-run.ts';
import type { Executor } from '../../../core/runs/live-run.ts';
import { hasEnded } from '../../../core/runs/runs.ts';
import { codeOf, collected, keyOf, type Rig, rigOf, startOf, timerClock } from './rig.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What a run's executor does when it is let. */
interface Script {
  readonly deltas: number;
  readonly gapMs: number;
  readonly outcome: 'success' | 'failure' | 'bug';
  /** How long it goes on working after its signal has fired: not every library stops at once. */
  readonly deafMs: number;
  readonly claimMs: readonly [number, number];
}

interface Start {
  readonly what: 'start';
  readonly input: 'input' | 'other';
  readonly stored: boolean;
  readonly policy: UnwatchedPolicy;
  readonly timeoutMs: number | null;
}
type Action =
  | Start
  | { readonly what: 'cancel' }
  | { readonly what: 'watch' | 'wait'; readonly forMs: number }
  | { readonly what: 'drain'; readonly drainMs: number };
interface Step {
  readonly atMs: number;
  readonly run: number;
  readonly action: Action;
}

const runCount = 3;
const ms = (max: number) => fc.integer({ min: 0, max });
const script: fc.Arbitrary<Script> = fc.record({
  deltas: ms(5),
  gapMs: ms(40),
  outcome: fc.constantFrom('success', 'failure', 'bug'),
  deafMs: fc.constantFrom(0, 0, 30),
  claimMs: fc.tuple(ms(30), ms(30)),
});
const scripts = fc.array(script, { minLength: runCount, maxLength: runCount });
const start: fc.Arbitrary<Action> = fc.record({
  what: fc.constant('start'),
  input: fc.constantFrom('input', 'input', 'input', 'other'),
  stored: fc.constantFrom(true, true, false),
  policy: fc.constantFrom('FINISH', 'CANCEL'),
  timeoutMs: fc.constantFrom(null, null, 0, 60),
});
const cancel: fc.Arbitrary<Action> = fc.constant({ what: 'cancel' });
const watch: fc.Arbitrary<Action> = fc.record({ what: fc.constantFrom('watch', 'wait'), forMs: ms(300) });
const drain: fc.Arbitrary<Action> = fc.record({ what: fc.constant('drain'), drainMs: ms(100) });
const action = fc.oneof(
  { weight: 4, arbitrary: start },
  { weight: 2, arbitrary: cancel },
  { weight: 3, arbitrary: watch },
  { weight: 1, arbitrary: drain },
);
const step: fc.Arbitrary<Step> = fc.record({ atMs: ms(300), run: ms(runCount - 1), action });
const steps = fc.array(step, { minLength: 1, maxLength: 20 });
const limits = fc.record({ maxRuns: fc.integer({ min: 1, max: 3 }), maxQueuedRuns: fc.integer({ min: 0, max: 2 }) });

interface World {
  readonly rig: Rig;
  /** Ids in the order of their executions. */
  readonly executed: string[];
  readonly mostAtOnce: () => number;
}

function worldOf(of: readonly Script[], bounds: { readonly maxRuns: number; readonly maxQueuedRuns: number }): World {
  const executed: string[] = [];
  let executing = 0;
  let mostAtOnce = 0;
  const scriptOf = (runId: string) => of[Number(runId)] ?? expect.unreachable(`no script of ${runId}`);
  const executor: Executor = async ({ run, signal, emit }) => {
    executed.push(run.runId);
    executing += 1;
    mostAtOnce = Math.max(mostAtOnce, executing);
    const { deltas, gapMs, outcome, deafMs } = scriptOf(run.runId);
    try {
      for (let index = 0; index < deltas; index++) {
        await timerClock.sleep(gapMs, deafMs > 0 ? undefined : signal);
        emit({ type: 'TextMessageDelta', messageId: 'm', delta: `${index}` });
        if (signal.aborted) await timerClock.sleep(deafMs);
        signal.throwIfAborted();
      }
      if (outcome === 'failure') throw new GatewayError('UPSTREAM_UNAVAILABLE', 'no', { retryable: true });
      if (outcome === 'bug') throw new TypeError('a bug');
      return {};
    } catch (error) {
      return { error };
    } finally {
      executing -= 1;
    }
  };
  const rig = rigOf({
    executor,
    limits: { ...bounds, unwatchedGraceMs: 50 },
    claimMs: (runId) => scriptOf(runId).claimMs,
    updateMs: 3,
  });
  return { rig, executed, mostAtOnce: () => mostAtOnce };
}

interface Outcomes {
  readonly starts: { readonly run: number; readonly action: Start; readonly code: string | null }[];
  readonly cancels: { readonly run: number; readonly status: string | null }[];
  /** Of each drain: how many runs had been executed when it was over. */
  readonly drained: number[];
  mostLive: number;
  readonly followed: { readonly run: number; readonly events: readonly FollowedEvent[] | 'NOT_FOUND' | 'left' }[];
}

/** Lets the steps happen, each at its time, then drains; resolves when everything that was begun has ended. */
async function play({ rig, executed }: World, plan: readonly Step[]): Promise<Outcomes> {
  const { runs } = rig;
  const outcomes: Outcomes = { starts: [], cancels: [], drained: [], mostLive: 0, followed: [] };
  const never = new AbortController().signal;
  const act = async (run: number, does: Action): Promise<void> => {
    const key = keyOf(`${run}`);
    switch (does.what) {
      case 'start': {
        const code = await codeOf(startOf(runs, { ...does, runId: key.runId }));
        outcomes.starts.push({ run, action: does, code });
        outcomes.mostLive = Math.max(outcomes.mostLive, runs.liveCount);
        return;
      }
      case 'cancel': {
        const ended = await runs.cancel(key, never).catch(() => null);
        outcomes.cancels.push({ run, status: ended?.status ?? null });
        return;
      }
      case 'watch': {
        const leaving = new AbortController();
        setTimeout(() => leaving.abort(), does.forMs);
        const events = await collected(followRun(rig, key, 0, leaving.signal)).catch((error: unknown) =>
          error instanceof GatewayError ? ('NOT_FOUND' as const) : ('left' as const),
        );
        outcomes.followed.push({ run, events });
        return;
      }
      case 'wait': {
        const leaving = new AbortController();
        setTimeout(() => leaving.abort(), does.forMs);
        await runs.whenFinished(key, leaving.signal).catch(() => null);
        return;
      }
      case 'drain':
        await runs.drain(does.drainMs);
        expect(runs.liveCount).toBe(0);
        outcomes.drained.push(executed.length);
        return;
    }
  };
  const all = Promise.all(plan.map((step) => timerClock.sleep(step.atMs).then(() => act(step.run, step.action))));
  const over = all.then(() => runs.drain(20));
  await vi.advanceTimersByTimeAsync(20_000);
  await over;
  return outcomes;
}

describe('whatever happens to runs, in whatever order', () => {
  test('each that was claimed ends exactly once, its terminal event last, and nothing runs on after the drain', async () => {
    await fc.assert(
      fc.asyncProperty(scripts, limits, steps, async (of, bounds, plan) => {
        const world = worldOf(of, bounds);
        const { rig, executed } = world;
        const outcomes = await play(world, plan);

        expect(rig.runs.liveCount).toBe(0);
        expect(new Set(executed).size).toBe(executed.length);
        expect(world.mostAtOnce()).toBeLessThanOrEqual(bounds.maxRuns);
        // The first drain to be over was over for good.
        expect(outcomes.drained.every((count) => count === executed.length)).toBe(true);
        expect(outcomes.mostLive).toBeLessThanOrEqual(bounds.maxRuns + bounds.maxQueuedRuns);

        for (let run = 0; run < runCount; run++) {
          const key = keyOf(`${run}`);
          const record = await rig.runs.find(key);
          const { events, lastSeq } = await rig.log.read(key, 0, 1_000);
          const starts = outcomes.starts.filter((other) => other.run === run);
          if (record === null) {
            expect(events).toEqual([]);
            expect(starts.filter(({ code }) => code === null)).toEqual([]);
            continue;
          }
          expect(hasEnded(record)).toBe(true);
          expect(record.lastSeq).toBe(lastSeq);
          expect(record.finishedAt).not.toBeNull();
          expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
          expect(events.filter(({ event }) => isTerminal(event))).toEqual(events.slice(-1));
          const ends = { SUCCEEDED: 'RunFinished', FAILED: 'RunFailed', CANCELLED: 'RunCancelled' };
          expect(ends).toHaveProperty(record.status, events.at(-1)?.event.type);
          const inputs = starts.filter(({ code }) => code === null).map(({ action: { input } }) => input);
          expect(new Set([...inputs, record.inputHash]).size).toBe(1);
          for (const cancel of outcomes.cancels) {
            if (cancel.run === run && cancel.status !== null) expect(cancel.status).toBe(record.status);
          }
          for (const { events: seen } of outcomes.followed.filter((other) => other.run === run)) {
            if (seen !== 'left' && seen !== 'NOT_FOUND') expect(seen).toEqual(events);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
