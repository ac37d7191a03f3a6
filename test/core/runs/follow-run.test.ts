import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunEvent } from '../../../core/contracts/run-event.ts';
import { type FollowedEvent, followRun, readRun } from '../../../core/runs/follow-run.ts';
import type { Executor } from '../../../core/runs/live-run.ts';
import { interrupted } from '../../../core/runs/run-error.ts';
import { collected, keyOf, newRunOf, type Rig, rigOf, startOf, untilStopped } from './rig.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const { signal } = new AbortController();
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const untilCancelled: Executor = (io) => untilStopped(io.signal);
/** So many events that cannot be joined into one. */
const says =
  (events: number, gapMs = 0): Executor =>
  async ({ emit }) => {
    for (let done = 1; done <= events; done++) {
      emit({ type: 'ProgressReported', done, total: events });
      if (gapMs > 0) await new Promise((resolve) => setTimeout(resolve, gapMs));
    }
    return {};
  };

const follow = (rig: Rig, runId: string, after = 0) => collected(followRun(rig, keyOf(runId), after, signal));
const briefly = ({ seq, event }: FollowedEvent): string => `${seq} ${event.type}`;
async function pagesOf(rig: Rig, runId: string, after: number, first: number): Promise<FollowedEvent[]> {
  const all: FollowedEvent[] = [];
  for (let from = after; ; ) {
    const run = (await rig.runs.find(keyOf(runId))) ?? expect.unreachable();
    const { events, hasNext } = await readRun(rig, run, from, first);
    expect(events.length).toBeLessThanOrEqual(first);
    all.push(...events);
    if (!hasNext) return all;
    from = events.at(-1)?.seq ?? expect.unreachable('a page with a next one is not empty');
  }
}

describe('following a run', () => {
  test('that is not there yet waits for it, and gives up with NOT_FOUND after 5 s', async () => {
    const rig = rigOf({ executor: says(1) });
    const early = follow(rig, 'a');
    const never = follow(rig, 'b').catch((error: unknown) => error);
    await pass(2_000);
    await startOf(rig.runs, { runId: 'a' });
    await pass(200);
    expect((await early).map(briefly)).toEqual(['1 RunStarted', '2 ProgressReported', '3 RunFinished']);
    await pass(3_000);
    expect(await never).toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('b') });
  });

  test('after its end replays all of it, and after its last event ends at once', async () => {
    const rig = rigOf({ executor: says(2) });
    await startOf(rig.runs, { runId: 'a' });
    await pass(10);
    expect((await follow(rig, 'a')).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect((await follow(rig, 'a', 2)).map(({ seq }) => seq)).toEqual([3, 4]);
    expect(await follow(rig, 'a', 4)).toEqual([]);
  });

  test('whose log was dropped gives a gap and its end, to whoever has not seen the end', async () => {
    const rig = rigOf({ executor: says(3), log: { retentionMs: 1_000 } });
    await startOf(rig.runs, { runId: 'a' });
    await pass(10);
    const run = await rig.runs.find(keyOf('a'));
    // A stored run outlives its log; the store of this rig would forget it too.
    vi.spyOn(rig.stored, 'byRunIds').mockImplementation(async () => (run === null ? [] : [run]));
    await pass(2_000);
    expect((await follow(rig, 'a')).map(briefly)).toEqual(['4 StreamGap', '5 RunFinished']);
    expect((await follow(rig, 'a', 2)).map(briefly)).toEqual(['4 StreamGap', '5 RunFinished']);
    expect((await follow(rig, 'a', 4)).map(briefly)).toEqual(['5 RunFinished']);
    expect(await follow(rig, 'a', 5)).toEqual([]);
    expect((await pagesOf(rig, 'a', 0, 1)).map(briefly)).toEqual(['4 StreamGap', '5 RunFinished']);
  });

  test('that another process left behind gives a gap and its end; the same end to everybody, and once', async () => {
    const rig = rigOf({ executor: untilCancelled });
    // Claimed, and not executed by this process.
    await rig.stored.claim(newRunOf({ runId: 'a' }), null, 'instance');
    const following = follow(rig, 'a');
    await pass(100);
    await rig.stored.update(keyOf('a'), 1, { status: 'FAILED', error: interrupted });
    await pass(6_000);
    const seen = await following;
    expect(seen.map(({ event }) => event.type)).toEqual(['StreamGap', 'RunFailed']);
    expect(seen[1]?.event).toMatchObject({ error: { code: 'INTERNAL', retryable: true } });
    expect(seen[1]?.seq).toBe((seen[0]?.seq ?? 0) + 1);
    expect((await follow(rig, 'a', 17)).map(briefly)).toEqual(seen.map(briefly));
    expect(await follow(rig, 'a', seen[1]?.seq)).toEqual([]);
    expect((await pagesOf(rig, 'a', 0, 1)).map(briefly)).toEqual(seen.map(briefly));
    // What the schema can carry.
    expect(seen[1]?.seq).toBeLessThan(2 ** 31);
  });

  test('that is not stored and is forgotten in mid-follow is NOT_FOUND, never an end that it did not have', async () => {
    const rig = rigOf({ executor: says(3), log: { retentionMs: 1_000 } });
    const reader = followRun(rig, keyOf('a'), 0, signal);
    await startOf(rig.runs, { runId: 'a', stored: false });
    expect((await reader.next()).value).toMatchObject({ seq: 1 });
    await pass(2_000);
    const rest = collected(reader).catch((error: unknown) => error);
    await pass(6_000);
    expect(await rest).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('that this process executes asks the store nothing, however slow that is', async () => {
    const rig = rigOf({ executor: says(2, 10) });
    await startOf(rig.runs, { runId: 'a' });
    const asked = vi.spyOn(rig.stored, 'byRunIds');
    const following = follow(rig, 'a');
    await pass(100);
    expect((await following).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(asked).not.toHaveBeenCalled();
  });

  test('stops waiting as soon as its signal fires, for the run as for its events', async () => {
    const rig = rigOf({ executor: untilCancelled });
    await startOf(rig.runs, { runId: 'a' });
    for (const runId of ['a', 'b']) {
      const leaving = new AbortController();
      const following = collected(followRun(rig, keyOf(runId), 0, leaving.signal)).catch((error: unknown) => error);
      await pass(50);
      leaving.abort(new Error('left'));
      expect(await following).toMatchObject({ message: 'left' });
    }
  });
});

describe('reading a run in pages', () => {
  test('gives what following it gives, from any cursor, in pages of any size, whatever was trimmed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 0, max: 45 }),
        fc.integer({ min: 1, max: 20 }),
        async (events, maxEventsPerRun, after, first) => {
          const rig = rigOf({ executor: says(events), log: { maxEventsPerRun } });
          await startOf(rig.runs, { runId: 'a' });
          await pass(10);
          const followed = await follow(rig, 'a', after);
          expect(await pagesOf(rig, 'a', after, first)).toEqual(followed);
          const last = events + 2;
          if (after >= last) expect(followed).toEqual([]);
          else expect(followed.at(-1)).toMatchObject({ seq: last, event: { type: 'RunFinished' } });
          const seqs = followed.map(({ seq }) => seq);
          expect(seqs.slice(1)).toEqual(seqs.slice(1).map((_, index) => (seqs[0] ?? 0) + index + 1));
        },
      ),
    );
  });

  test('a slow reader of a log that is trimmed in front of it gets one gap, and all that is left', async () => {
    const rig = rigOf({ executor: says(50, 10), log: { maxEventsPerRun: 10 } });
    await startOf(rig.runs, { runId: 'a' });
    const reader = followRun(rig, keyOf('a'), 0, signal);
    expect(briefly((await reader.next()).value ?? expect.unreachable())).toBe('1 RunStarted');
    await pass(1_000);
    const rest = await collected(reader);
    expect(rest.map(briefly)[0]).toBe('42 StreamGap');
    expect(rest.map(({ seq }) => seq)).toEqual(Array.from({ length: 11 }, (_, index) => index + 42));
    const kinds = new Set<RunEvent['type'] | 'StreamGap'>(rest.slice(1, -1).map(({ event }) => event.type));
    expect([...kinds]).toEqual(['ProgressReported']);
  });
});
