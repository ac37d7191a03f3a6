import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { GatewayError } from '../../../core/contracts/gateway-error.ts';
import type { RunEvent } from '../../../core/contracts/run-event.ts';
import { followRun } from '../../../core/runs/follow-run.ts';
import type { Executor } from '../../../core/runs/live-run.ts';
import type { Runs } from '../../../core/runs/runs.ts';
import { codeOf, collected, keyOf, type Rig, rigOf, startOf, untilStopped } from './rig.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const { signal } = new AbortController();
const untilCancelled: Executor = (io) => untilStopped(io.signal);
const atOnce: Executor = async () => ({});
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

async function eventsOf({ log }: Rig, runId: string): Promise<readonly RunEvent[]> {
  return (await log.read(keyOf(runId), 0, 1_000)).events.map(({ event }) => event);
}
const namesOf = async (rig: Rig, runId: string) => (await eventsOf(rig, runId)).map(({ type }) => type);

describe('starting', () => {
  test('the same id again, at once and twenty times, is one run that is executed once', async () => {
    let executed = 0;
    const executor: Executor = async () => {
      executed += 1;
      return {};
    };
    const { runs } = rigOf({ executor, claimMs: () => [5, 5] });
    const starts = Promise.all(Array.from({ length: 20 }, () => startOf(runs, { runId: 'a' })));
    await pass(1_000);
    expect(new Set((await starts).map(({ createdAt }) => createdAt.getTime())).size).toBe(1);
    expect(executed).toBe(1);
  });

  test('the same id with another input, or stored another way, is CONFLICT and names the run', async () => {
    const { runs } = rigOf({ executor: atOnce });
    for (const stored of [true, false]) {
      const runId = stored ? 'stored' : 'not stored';
      await startOf(runs, { runId, stored });
      for (const other of [
        { runId, stored, input: 'other' },
        { runId, stored: !stored, input: 'other' },
      ]) {
        await expect(startOf(runs, other)).rejects.toMatchObject({
          code: 'CONFLICT',
          message: expect.stringContaining(runId),
          details: { runId },
        });
      }
    }
  });

  test('an id belongs to its tenant: the same one elsewhere is another run', async () => {
    const { runs } = rigOf({ executor: untilCancelled });
    await startOf(runs, { runId: 'a', tenant: 'one', input: 'x' });
    await startOf(runs, { runId: 'a', tenant: 'two', input: 'y' });
    await runs.cancel(keyOf('a', 'one'), signal);
    expect(await runs.find(keyOf('a', 'one'))).toMatchObject({ status: 'CANCELLED', inputHash: 'x' });
    expect(await runs.find(keyOf('a', 'two'))).toMatchObject({ status: 'RUNNING', inputHash: 'y' });
    expect(await codeOf(runs.cancel(keyOf('a', 'three'), signal))).toBe('NOT_FOUND');
  });

  test('takes no more than limits.maxRuns and limits.maxQueuedRuns, those that are being claimed counted', async () => {
    const { runs } = rigOf({
      executor: untilCancelled,
      limits: { maxRuns: 1, maxQueuedRuns: 1 },
      claimMs: () => [5, 5],
    });
    const codes = Promise.all(['a', 'b', 'c', 'd'].map((runId) => codeOf(startOf(runs, { runId }))));
    await pass(20);
    expect(await codes).toEqual([null, null, 'RATE_LIMITED', 'RATE_LIMITED']);
    await expect(startOf(runs, { runId: 'e' })).rejects.toMatchObject({
      retryable: true,
      message: expect.stringContaining('limits.maxQueuedRuns'),
      details: { retryAfterMs: expect.any(Number), limit: 2 },
    });
    // Whoever asks again for a run that exists needs no room.
    const again = startOf(runs, { runId: 'a' });
    await pass(20);
    expect(await again).toMatchObject({ status: 'RUNNING' });
  });
});

describe('cancelling', () => {
  test('a run that is still being claimed is cancelled as soon as it is there', async () => {
    const { runs } = rigOf({ executor: untilCancelled, claimMs: () => [10, 10] });
    const start = startOf(runs, { runId: 'a' });
    await pass(15);
    const cancel = runs.cancel(keyOf('a'), signal);
    await pass(1_000);
    expect(await cancel).toMatchObject({ status: 'CANCELLED' });
    await start;
  });

  test('a queued run ends at once, without a slot and without being executed', async () => {
    const executed: string[] = [];
    const rig = rigOf({
      limits: { maxRuns: 1 },
      executor: (io) => {
        executed.push(io.run.runId);
        return untilStopped(io.signal);
      },
    });
    await startOf(rig.runs, { runId: 'a' });
    await startOf(rig.runs, { runId: 'b' });
    expect(await rig.runs.cancel(keyOf('b'), signal)).toMatchObject({ status: 'CANCELLED', lastSeq: 1 });
    expect(await namesOf(rig, 'b')).toEqual(['RunCancelled']);
    expect(executed).toEqual(['a']);
    await rig.runs.cancel(keyOf('a'), signal);
    await pass(100);
    expect(executed).toEqual(['a']);
  });

  test('twice, and after the end, returns the run as it ended', async () => {
    const rig = rigOf({ executor: untilCancelled });
    await startOf(rig.runs, { runId: 'a' });
    const both = await Promise.all([rig.runs.cancel(keyOf('a'), signal), rig.runs.cancel(keyOf('a'), signal)]);
    expect(both[0]).toEqual(both[1]);
    expect(await rig.runs.cancel(keyOf('a'), signal)).toEqual(both[0]);
    expect(await namesOf(rig, 'a')).toEqual(['RunStarted', 'RunCancelled']);
  });
});

describe('whenUnwatched: CANCEL', () => {
  const start = async (rig: Rig, runId = 'a') => startOf(rig.runs, { runId, policy: 'CANCEL' });
  const statusOf = async (runs: Runs, runId = 'a') => (await runs.find(keyOf(runId)))?.status;

  test('cancels after the grace period, counted from the start and from the last follower that left', async () => {
    const rig = rigOf({ executor: untilCancelled });
    await start(rig, 'never watched');
    await start(rig);
    const first = rig.runs.watch(keyOf('a'));
    const second = rig.runs.watch(keyOf('a'));
    await pass(150);
    expect(await statusOf(rig.runs, 'never watched')).toBe('CANCELLED');
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    await pass(150);
    expect(await statusOf(rig.runs)).toBe('RUNNING');
    second[Symbol.dispose]();
    await pass(90);
    expect(await statusOf(rig.runs)).toBe('RUNNING');
    await pass(20);
    expect(await statusOf(rig.runs)).toBe('CANCELLED');
    expect((await eventsOf(rig, 'a')).at(-1)).toMatchObject({ reason: expect.stringContaining('100 ms') });
  });

  test('a follower that comes back within the grace period keeps it alive', async () => {
    const rig = rigOf({ executor: untilCancelled });
    await start(rig);
    for (let round = 0; round < 5; round++) {
      const watching = rig.runs.watch(keyOf('a'));
      await pass(10);
      watching[Symbol.dispose]();
      await pass(90);
    }
    expect(await statusOf(rig.runs)).toBe('RUNNING');
  });

  test('waiting for the end counts as watching', async () => {
    const rig = rigOf({ executor: untilCancelled });
    await start(rig);
    const leaving = new AbortController();
    const waiting = rig.runs.whenFinished(keyOf('a'), leaving.signal).catch(() => 'left');
    await pass(500);
    expect(await statusOf(rig.runs)).toBe('RUNNING');
    leaving.abort();
    expect(await waiting).toBe('left');
    await pass(110);
    expect(await statusOf(rig.runs)).toBe('CANCELLED');
  });

  test('a follower that was there before the run counts, also when it found the run before the start was answered', async () => {
    const rig = rigOf({ executor: untilCancelled, claimMs: () => [50, 300] });
    const leaving = new AbortController();
    const following = collected(followRun(rig, keyOf('a'), 0, leaving.signal)).catch(() => 'left');
    const started = start(rig);
    await pass(1_000);
    await started;
    expect(await statusOf(rig.runs)).toBe('RUNNING');
    leaving.abort();
    expect(await following).toBe('left');
    await pass(110);
    expect(await statusOf(rig.runs)).toBe('CANCELLED');
  });

  test('an ended run leaves no timer behind', async () => {
    const rig = rigOf({ executor: atOnce, log: { retentionMs: 1 } });
    const watching = rig.runs.watch(keyOf('a'));
    await start(rig);
    await rig.runs.whenFinished(keyOf('a'), signal);
    await pass(50);
    const before = vi.getTimerCount();
    watching[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(before);
  });
});

describe('a run and its deadline', () => {
  test('ends as UPSTREAM_TIMEOUT, phase TOTAL, retryable, also while it is queued', async () => {
    const rig = rigOf({ executor: untilCancelled, limits: { maxRuns: 1 } });
    await startOf(rig.runs, { runId: 'a', timeoutMs: 200 });
    await startOf(rig.runs, { runId: 'b', timeoutMs: 100 });
    await pass(210);
    for (const runId of ['a', 'b']) {
      expect(await rig.runs.find(keyOf(runId))).toMatchObject({
        status: 'FAILED',
        error: { code: 'UPSTREAM_TIMEOUT', retryable: true, details: { phase: 'TOTAL' } },
      });
    }
  });
});

describe('draining', () => {
  test('refuses new runs as retryable, and lets those under way end', async () => {
    const rig = rigOf({
      executor: async () => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        return {};
      },
    });
    await startOf(rig.runs, { runId: 'a' });
    let drained = false;
    const draining = rig.runs.drain(1_000).then(() => {
      drained = true;
    });
    await expect(startOf(rig.runs, { runId: 'b' })).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      retryable: true,
    });
    expect(await rig.runs.find(keyOf('b'))).toBeNull();
    await pass(290);
    expect(drained).toBe(false);
    await pass(20);
    await draining;
    expect(await rig.runs.find(keyOf('a'))).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('still answers whoever asks again for a run that exists', async () => {
    const rig = rigOf({ executor: untilCancelled });
    await startOf(rig.runs, { runId: 'a' });
    const draining = rig.runs.drain(1_000);
    expect(await startOf(rig.runs, { runId: 'a' })).toMatchObject({ runId: 'a', status: 'RUNNING' });
    await pass(1_010);
    await draining;
  });

  test('ends what is left after the drain period as retryable, the queued ones too', async () => {
    const rig = rigOf({ executor: untilCancelled, limits: { maxRuns: 1 } });
    await startOf(rig.runs, { runId: 'a' });
    await startOf(rig.runs, { runId: 'b' });
    const draining = rig.runs.drain(1_000);
    await pass(1_010);
    await draining;
    for (const runId of ['a', 'b']) {
      expect(await rig.runs.find(keyOf(runId))).toMatchObject({
        status: 'FAILED',
        error: { code: 'UPSTREAM_UNAVAILABLE', retryable: true },
      });
    }
    expect(rig.runs.liveCount).toBe(0);
    expect((await eventsOf(rig, 'a')).at(-1)).toMatchObject({ type: 'RunFailed', error: { retryable: true } });
  });

  test('waits for a start that was on its way when it began, and ends that run too', async () => {
    const rig = rigOf({ executor: untilCancelled, claimMs: () => [50, 50] });
    const start = startOf(rig.runs, { runId: 'a' });
    await pass(10);
    const draining = rig.runs.drain(20);
    await pass(1_000);
    await draining;
    await start;
    expect(await rig.runs.find(keyOf('a'))).toMatchObject({ status: 'FAILED', error: { retryable: true } });
    expect(rig.runs.liveCount).toBe(0);
  });
});

describe('an executor that fails', () => {
  test('in any way ends its run as FAILED, masked when it is not a GatewayError', async () => {
    const rig = rigOf({
      executor: (io) => {
        if (io.run.runId === 'throws') throw new TypeError('a secret');
        return Promise.reject(new TypeError('a secret'));
      },
    });
    for (const runId of ['throws', 'rejects']) {
      await startOf(rig.runs, { runId });
      const run = await rig.runs.whenFinished(keyOf(runId), signal);
      expect(run).toMatchObject({ status: 'FAILED', error: { code: 'INTERNAL', retryable: false } });
      expect(run.error?.message).not.toContain('secret');
    }
  });

  test('by an INTERNAL error of ours is masked as well, and keeps that another try may help', async () => {
    const rig = rigOf({
      executor: () => Promise.reject(new GatewayError('INTERNAL', 'a secret', { retryable: true })),
    });
    await startOf(rig.runs, { runId: 'a' });
    const run = await rig.runs.whenFinished(keyOf('a'), signal);
    expect(run).toMatchObject({ status: 'FAILED', error: { code: 'INTERNAL', retryable: true } });
    expect(run.error?.message).not.toContain('secret');
  });

  test('at the store still tells its followers, and the run knows where its log ends', async () => {
    const rig = rigOf({ executor: untilCancelled });
    const update = vi.spyOn(rig.stored, 'update');
    await startOf(rig.runs, { runId: 'a' });
    await pass(0);
    update.mockRejectedValueOnce(new Error('the disk is full'));
    const run = await rig.runs.cancel(keyOf('a'), signal);
    expect(run).toMatchObject({ status: 'FAILED', error: { code: 'INTERNAL' }, lastSeq: 2 });
    expect(await namesOf(rig, 'a')).toEqual(['RunStarted', 'RunFailed']);
  });
});
