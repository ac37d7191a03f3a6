import { getEventListeners } from 'node:events';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type MemoryEventLogOptions, memoryEventLog } from '../../../adapters/memory/event-log.ts';
import type { RunEvent } from '../../../core/contracts/run-event.ts';
import { noUsage } from '../../../core/models/usage/usage-meter.ts';
import { eventLogContract } from '../../contract/event-log.ts';
import { cpuStopwatch } from '../../helpers/cpu-stopwatch.ts';

eventLogContract('memory event log', async (options) => memoryEventLog({ clock: Date, ...options }));

const key = { tenant: 'tenant', runId: 'run' };
const finished: RunEvent = { type: 'RunFinished', usage: noUsage };
const delta = (text: string): RunEvent => ({ type: 'TextMessageDelta', messageId: 'm', delta: text });

let now = 0;
beforeEach(() => {
  now = 1_000_000;
});

function opened(options: Partial<MemoryEventLogOptions> = {}) {
  const log = memoryEventLog({ clock: { now: () => now }, retentionMs: 1000, maxEventsPerRun: 100, ...options });
  onTestFinished(() => log.close());
  return log;
}

describe('memory event log: what it holds', () => {
  test('keeps exactly maxEventsPerRun events, also of a longer batch', async () => {
    const log = opened({ maxEventsPerRun: 3 });
    await log.append(key, 1, ['a', 'b', 'c', 'd', 'e'].map(delta));
    const page = await log.read(key, 0, 100);
    expect(page.gap).toEqual({ gapUntil: 2 });
    expect(page.events.map(({ seq }) => seq)).toEqual([3, 4, 5]);
    await log.append(key, 1, [finished]);
    expect((await log.read(key, 0, 100)).events.map(({ seq }) => seq)).toEqual([4, 5, 6]);
  });

  test('drops an ended log exactly at its retention, and stamps events with its clock', async () => {
    const log = opened();
    now -= 5000;
    await log.append(key, 1, [delta('a')]);
    now += 5000;
    await log.append(key, 1, [finished]);
    expect((await log.read(key, 0, 2)).events.map(({ at }) => at)).toEqual([995_000, 1_000_000]);
    expect(log.stats().logs).toBe(1);
    now += 999;
    expect((await log.read(key, 0, 1)).lastSeq).toBe(2);
    now += 1;
    expect((await log.read(key, 0, 1)).lastSeq).toBe(0);
    expect(log.stats()).toEqual({ logs: 0, bytes: 0, waitedFor: 0 });
  });

  test('frees what is over its time on an idle process, with a timer that does not keep the process alive', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    await opened({ clock: Date }).append(key, 1, [finished]);
    expect(timers()).toBe(before);

    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const log = opened({ clock: Date, retentionMs: 10_000 });
    await log.append(key, 1, [finished]);
    vi.advanceTimersByTime(9000);
    expect(log.stats().logs).toBe(1);
    vi.advanceTimersByTime(6000);
    expect(log.stats()).toEqual({ logs: 0, bytes: 0, waitedFor: 0 });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('drops an open log only when nothing was appended for abandonedMs', async () => {
    const log = opened({ abandonedMs: 5000 });
    await log.append(key, 1, [delta('a')]);
    now += 4999;
    expect(await log.append(key, 1, [delta('b')])).toBe(2);
    now += 4999;
    expect((await log.read(key, 0, 10)).lastSeq).toBe(2);
    now += 1;
    expect((await log.read(key, 0, 10)).lastSeq).toBe(0);
    expect(log.stats().bytes).toBe(0);
  });

  test('above maxTotalBytes drops ended logs first, then the oldest events of the most silent open log', async () => {
    const log = opened({ maxTotalBytes: 100_000 });
    const run = (runId: string) => ({ tenant: 'tenant', runId });
    const big = delta('x'.repeat(10_000));
    await log.append(run('busy'), 1, [delta('began first, but goes on')]);
    await log.append(run('silent'), 4, [big, big]);
    await log.append(run('ended 1'), 1, [big, finished]);
    await log.append(run('ended 2'), 1, [big, finished]);
    expect(log.stats().logs).toBe(4);
    await log.append(run('busy'), 1, [big]);
    expect((await log.read(run('ended 1'), 0, 10)).lastSeq).toBe(0);
    expect((await log.read(run('ended 2'), 0, 10)).lastSeq).toBe(2);
    await log.append(run('busy'), 1, [big, big]);
    expect((await log.read(run('ended 2'), 0, 10)).lastSeq).toBe(0);
    const silent = await log.read(run('silent'), 0, 10);
    expect(silent.gap).toEqual({ gapUntil: 1 });
    expect(silent.events.map(({ seq }) => seq)).toEqual([2]);
    expect((await log.read(run('busy'), 0, 10)).events).toHaveLength(4);

    // The seqs and the fence of a log whose events are all gone go on.
    await log.append(run('busy'), 1, [big]);
    expect(await log.read(run('silent'), 0, 10)).toEqual({ gap: { gapUntil: 2 }, events: [], lastSeq: 2 });
    await expect(log.append(run('silent'), 3, [delta('late')])).rejects.toThrow('attempt 3');
    expect(await log.append(run('silent'), 4, [finished])).toBe(3);
  });

  test('stays within maxTotalBytes whatever is appended, one event larger than it included', async () => {
    const log = opened({ maxTotalBytes: 50_000, maxEventsPerRun: 1000, retentionMs: 60_000 });
    for (let n = 0; n < 2000; n += 1) {
      const events = [delta('y'.repeat((n * 37) % 900)), ...(n % 3 === 0 ? [finished] : [])];
      await log.append({ tenant: 't', runId: String(n % 3 === 0 ? n : n % 20 === 1 ? 1 : 2) }, 1, events);
      expect(log.stats().bytes).toBeLessThanOrEqual(50_000);
    }
    await log.append(key, 1, [delta('z'.repeat(60_000))]);
    expect(log.stats().bytes).toBeLessThanOrEqual(50_000);
    expect(await log.read(key, 0, 1)).toEqual({ gap: { gapUntil: 1 }, events: [], lastSeq: 1 });
  });

  test('costs the same per append and per page however long the log is', async () => {
    const log = opened({ maxEventsPerRun: 20_000 });
    const fill = async (count: number) => {
      const spentMs = cpuStopwatch();
      for (let n = 0; n < count; n += 1) {
        await log.append(key, 1, [delta('x')]);
        if (n % 10 === 0) await log.read(key, Math.max(0, n - 5), 10);
      }
      return spentMs();
    };
    await fill(10_000);
    const filling = await fill(10_000);
    // Each append now drops an event too. Quadratic work (a shift of 20,000 slots) would be some hundred times slower.
    const dropping = await fill(10_000);
    expect(dropping).toBeLessThan(10 * filling + 100);
  });
});

describe('memory event log: what followers leave behind', () => {
  test('nothing after 10,000 rounds of follow and abort on one log', async () => {
    const log = opened();
    await log.append(key, 1, [delta('a')]);
    const { bytes } = log.stats();
    const shared = new AbortController();
    const longLived = log.follow(key, 1, shared.signal)[Symbol.asyncIterator]().next();
    for (let round = 0; round < 10_000; round += 1) {
      const controller = new AbortController();
      const next = log.follow(key, 1, controller.signal)[Symbol.asyncIterator]().next();
      controller.abort(round);
      await next.then(
        () => expect.unreachable(),
        (reason: unknown) => {
          if (reason !== round) throw reason;
        },
      );
      if (round % 1000 === 0) expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    }
    expect(log.stats()).toEqual({ logs: 1, bytes, waitedFor: 1 });
    expect(getEventListeners(shared.signal, 'abort')).toHaveLength(1);
    shared.abort(new Error('done'));
    await expect(longLived).rejects.toThrow('done');
    expect(log.stats().waitedFor).toBe(0);
  });

  test('nothing of 10,000 runs that were waited for and never came', async () => {
    const log = opened();
    const controllers = Array.from({ length: 10_000 }, () => new AbortController());
    const waits = controllers.map(({ signal }, n) =>
      log
        .follow({ tenant: 't', runId: String(n) }, 0, signal)
        [Symbol.asyncIterator]()
        .next(),
    );
    expect(log.stats()).toEqual({ logs: 0, bytes: 0, waitedFor: 10_000 });
    for (const controller of controllers) controller.abort('gone');
    const outcomes = await Promise.allSettled(waits);
    expect(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason === 'gone')).toBe(true);
    expect(log.stats()).toEqual({ logs: 0, bytes: 0, waitedFor: 0 });
  });

  test('refuses appends and reads once it is closed', async () => {
    const log = opened();
    await log.append(key, 1, [delta('a')]);
    await log.close();
    await expect(log.append(key, 1, [delta('b')])).rejects.toThrow('closed');
    await expect(log.read(key, 0, 1)).rejects.toThrow('closed');
    expect(log.stats()).toEqual({ logs: 0, bytes: 0, waitedFor: 0 });
  });
});
