import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  type EventLog,
  FencedError,
  type LogGap,
  type LoggedEvent,
  type RunKey,
} from '../../core/contracts/event-log.ts';
import type { RunEvent } from '../../core/contracts/run-event.ts';
import { noUsage } from '../../core/models/usage/usage-meter.ts';

export interface EventLogOptions {
  readonly retentionMs: number;
  readonly maxEventsPerRun: number;
}

/** Generous, so that a busy machine or a far server passes; bounded, so that a lost wake-up fails. */
const patienceMs = 20_000;
const roomy: EventLogOptions = { retentionMs: 60_000, maxEventsPerRun: 10_000 };

/**
 * What every event log must do. `open` gives a fresh log; logs that share a server are kept apart by their run ids, which
 * are never used twice. Real time only: a log may live in another process.
 */
export function eventLogContract(name: string, open: (options: EventLogOptions) => Promise<EventLog>): void {
  async function opened(options: EventLogOptions = roomy): Promise<EventLog> {
    const log = await open(options);
    onTestFinished(() => log.close());
    return log;
  }

  describe(`${name}: appending and reading`, () => {
    test('numbers events 1, 2, 3 … over batches and returns the newest number', async () => {
      const log = await opened();
      const key = newKey();
      const before = Date.now();
      expect(await log.append(key, 1, [delta(1)])).toBe(1);
      expect(await log.append(key, 1, [delta(2), delta(3)])).toBe(3);
      const page = await log.read(key, 0, 10);
      expect(page.events.map(({ seq, event }) => ({ seq, event }))).toEqual([
        { seq: 1, event: delta(1) },
        { seq: 2, event: delta(2) },
        { seq: 3, event: delta(3) },
      ]);
      expect(page).toMatchObject({ gap: null, lastSeq: 3 });
      for (const { at } of page.events) expect(Math.abs(at - before)).toBeLessThan(60_000);
    });

    test('keeps the order of appends that are not awaited', async () => {
      const log = await opened();
      const key = newKey();
      const seqs = await Promise.all(numbers(1, 50).map((n) => log.append(key, 1, [delta(n)])));
      expect(seqs).toEqual(numbers(1, 50));
      const { events } = await log.read(key, 0, 100);
      expect(events.map(({ event }) => event)).toEqual(numbers(1, 50).map(delta));
    });

    test('returns events as they were written, whatever their text', async () => {
      const log = await opened();
      const key = newKey();
      const odd: RunEvent[] = [
        { type: 'TextMessageDelta', messageId: 'm', delta: '"\\\r\n\0 \u2028 é 漢 😀 \ufeff' },
        { type: 'TextMessageDelta', messageId: '', delta: '' },
        {
          type: 'SourceCited',
          messageId: 'm',
          citation: { number: 1, quote: '{"a":[1]}', title: null, url: null, passageId: 'p' },
        },
        { type: 'RunFailed', usage: noUsage, error: { code: 'INTERNAL', message: 'm', retryable: true, details: {} } },
      ];
      await log.append(key, 1, odd);
      expect((await log.read(key, 0, 10)).events.map(({ event }) => event)).toEqual(odd);
    });

    test('reads at most `limit` events, from after the cursor', async () => {
      const log = await opened();
      const key = newKey();
      await log.append(key, 1, numbers(1, 10).map(delta));
      const page = await log.read(key, 3, 4);
      expect(seqsOf(page.events)).toEqual([4, 5, 6, 7]);
      expect(page.lastSeq).toBe(10);
      expect(seqsOf((await log.read(key, 8, 4)).events)).toEqual([9, 10]);
      expect(await log.read(key, 10, 4)).toEqual({ gap: null, events: [], lastSeq: 10 });
      expect(await log.read(key, 99, 4)).toEqual({ gap: null, events: [], lastSeq: 10 });
    });

    test('reads an unknown run as an empty page', async () => {
      const log = await opened();
      expect(await log.read(newKey(), 0, 10)).toEqual({ gap: null, events: [], lastSeq: 0 });
      expect(await log.read(newKey(), 7, 10)).toEqual({ gap: null, events: [], lastSeq: 0 });
    });

    test('changes nothing for an empty batch', async () => {
      const log = await opened();
      const key = newKey();
      expect(await log.append(key, 1, [])).toBe(0);
      await log.append(key, 1, [delta(1)]);
      expect(await log.append(key, 1, [])).toBe(1);
      expect((await log.read(key, 0, 10)).lastSeq).toBe(1);
    });

    test('keeps tenants with the same run id apart', async () => {
      const log = await opened();
      const { runId } = newKey();
      // The second pair would meet in a log that joined tenant and run id with a colon.
      const keys = [
        { tenant: 'a', runId },
        { tenant: 'b', runId },
        { tenant: 'a:x', runId },
        { tenant: 'a', runId: `x:${runId}` },
      ];
      for (const [index, key] of keys.entries()) expect(await log.append(key, index + 1, [delta(index)])).toBe(1);
      for (const [index, key] of keys.entries()) {
        expect((await log.read(key, 0, 10)).events.map(({ event }) => event)).toEqual([delta(index)]);
      }
      await log.append({ tenant: 'a', runId }, 1, [finished]);
      expect(await log.append({ tenant: 'b', runId }, 2, [delta(9)])).toBe(2);
    });
  });

  describe(`${name}: fencing`, () => {
    test('refuses an attempt below one that has appended, and takes the same or a higher one', async () => {
      const log = await opened();
      const key = newKey();
      await log.append(key, 1, [delta(1)]);
      expect(await log.append(key, 2, [delta(2)])).toBe(2);
      await expect(log.append(key, 1, [delta(9)])).rejects.toBeInstanceOf(FencedError);
      await expect(log.append(key, 1, [finished])).rejects.toBeInstanceOf(FencedError);
      expect(await log.append(key, 2, [delta(3)])).toBe(3);
      expect(await log.append(key, 7, [delta(4)])).toBe(4);
      await expect(log.append(key, 2, [delta(9)])).rejects.toBeInstanceOf(FencedError);
      expect((await log.read(key, 0, 10)).events.map(({ event }) => event)).toEqual(numbers(1, 4).map(delta));
    });

    test('takes nothing after a terminal event, of any attempt', async () => {
      const log = await opened();
      for (const terminal of [finished, failed, cancelled]) {
        const key = newKey();
        await log.append(key, 3, [delta(1), terminal]);
        for (const attempt of [2, 3, 4]) {
          await expect(log.append(key, attempt, [delta(2)])).rejects.toBeInstanceOf(FencedError);
          await expect(log.append(key, attempt, [terminal])).rejects.toBeInstanceOf(FencedError);
        }
        expect((await log.read(key, 0, 10)).lastSeq).toBe(2);
      }
    });

    test('appends the whole batch or none of it', async () => {
      const log = await opened();
      const key = newKey();
      await log.append(key, 2, [delta(1)]);
      await expect(log.append(key, 1, [delta(8), delta(9)])).rejects.toBeInstanceOf(FencedError);
      await expect(log.append(key, 2, [delta(8), finished, delta(9)])).rejects.toBeInstanceOf(FencedError);
      expect(seqsOf((await log.read(key, 0, 10)).events)).toEqual([1]);
      // Neither refusal ended the log.
      expect(await log.append(key, 2, [delta(2), finished])).toBe(3);
    });

    test('lets exactly one of several racing terminal events in', async () => {
      const log = await opened();
      const key = newKey();
      const outcomes = await Promise.allSettled(
        [finished, failed, cancelled].map((event) => log.append(key, 1, [event])),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect((await log.read(key, 0, 10)).lastSeq).toBe(1);
    });
  });

  describe(`${name}: taking a log over`, () => {
    test('refuses lower attempts from then on, and says where the log stands', async () => {
      const log = await opened();
      const key = newKey();
      await log.append(key, 1, [delta(1), delta(2)]);
      expect(await log.fence(key, 2, 0)).toEqual({ lastSeq: 2, ended: false });
      await expect(log.append(key, 1, [delta(9)])).rejects.toBeInstanceOf(FencedError);
      await expect(log.fence(key, 1, 0)).rejects.toBeInstanceOf(FencedError);
      // Again, as after an answer that was lost.
      expect(await log.fence(key, 2, 0)).toEqual({ lastSeq: 2, ended: false });
      expect(await log.append(key, 2, [delta(3)])).toBe(3);
      expect((await log.read(key, 0, 10)).events.map(({ event }) => event)).toEqual(numbers(1, 3).map(delta));
    });

    test('says of an ended log that it has ended, and changes nothing', async () => {
      const log = await opened();
      const key = newKey();
      await log.append(key, 1, [delta(1), finished]);
      expect(await log.fence(key, 2, 1_000)).toEqual({ lastSeq: 2, ended: true });
      expect(seqsOf((await log.read(key, 0, 10)).events)).toEqual([1, 2]);
      await expect(log.append(key, 2, [delta(9)])).rejects.toBeInstanceOf(FencedError);
      expect(await collect(log, key, 0)).toEqual([1, 2]);
    });

    test('takes an unknown log, which then refuses lower attempts', async () => {
      const log = await opened();
      const key = newKey();
      expect(await log.fence(key, 3, 0)).toEqual({ lastSeq: 0, ended: false });
      await expect(log.append(key, 2, [delta(9)])).rejects.toBeInstanceOf(FencedError);
      expect(await log.append(key, 3, [delta(1)])).toBe(1);
    });

    test('goes on after the floor where it knows of fewer events, which shows as a gap to readers and followers', async () => {
      const log = await opened();
      const key = newKey();
      await log.append(key, 1, [delta(1), delta(2), delta(3)]);
      const reader = log.follow(key, 0, patience())[Symbol.asyncIterator]();
      expect(seqOf((await reader.next()).value)).toBe(1);
      expect(await log.fence(key, 2, 3)).toEqual({ lastSeq: 3, ended: false });
      expect(await log.fence(key, 2, 1_000)).toEqual({ lastSeq: 1_000, ended: false });
      expect(await log.read(key, 2, 10)).toEqual({ gap: { gapUntil: 1_000 }, events: [], lastSeq: 1_000 });
      expect(await log.append(key, 2, [delta(4), finished])).toBe(1_002);
      expect(seqsOf((await log.read(key, 1_000, 10)).events)).toEqual([1_001, 1_002]);
      expect((await log.read(key, 3, 10)).gap).toEqual({ gapUntil: 1_000 });
      // One that stood in the middle may have seen on from memory; what it sees is in order, with one gap, up to the end.
      const seen: number[] = [];
      for (let next = await reader.next(); !next.done; next = await reader.next()) {
        seen.push('gapUntil' in next.value ? next.value.gapUntil : next.value.seq);
      }
      expect(seen.slice(-3)).toEqual([1_000, 1_001, 1_002]);
      expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    });

    test('leaves a log that has more events than the floor as it is', async () => {
      const log = await opened();
      const key = newKey();
      await log.append(key, 1, numbers(1, 5).map(delta));
      expect(await log.fence(key, 2, 3)).toEqual({ lastSeq: 5, ended: false });
      expect(seqsOf((await log.read(key, 0, 10)).events)).toEqual([1, 2, 3, 4, 5]);
    });
  });

  describe(`${name}: following`, () => {
    test('yields what is there, waits for more, and ends after the terminal event', async () => {
      const log = await opened();
      const key = newKey();
      await log.append(key, 1, [delta(1), delta(2)]);
      const seen: number[] = [];
      for await (const item of log.follow(key, 0, patience())) {
        seen.push(seqOf(item));
        if (seen.length === 2) await log.append(key, 1, [delta(3)]);
        if (seen.length === 3) await log.append(key, 1, [finished]);
      }
      expect(seen).toEqual([1, 2, 3, 4]);
    });

    test('waits for a run that has no log yet', async () => {
      const log = await opened();
      const key = newKey();
      const all = collect(log, key, 0);
      await turn();
      await log.append(key, 1, [delta(1), finished]);
      expect(await all).toEqual([1, 2]);
    });

    test('begins in the middle, and after the end', async () => {
      const log = await opened();
      const key = newKey();
      await log.append(key, 1, [delta(1), delta(2), delta(3)]);
      const fromTheMiddle = collect(log, key, 2);
      const fromAhead = collect(log, key, 4);
      await log.append(key, 1, [delta(4), finished]);
      expect(await fromTheMiddle).toEqual([3, 4, 5]);
      expect(await fromAhead).toEqual([5]);
      expect(await collect(log, key, 0)).toEqual([1, 2, 3, 4, 5]);
      expect(await collect(log, key, 4)).toEqual([5]);
      // Nothing can come any more, so there is nothing to wait for.
      expect(await collect(log, key, 5)).toEqual([]);
    });

    test('serves one follower on when another one leaves', async () => {
      const log = await opened();
      const key = newKey();
      const stays = collect(log, key, 0);
      const leaves = (async () => {
        for await (const item of log.follow(key, 0, patience())) if (seqOf(item) === 2) return;
      })();
      await log.append(key, 1, [delta(1), delta(2)]);
      await leaves;
      await log.append(key, 1, [delta(3), finished]);
      expect(await stays).toEqual([1, 2, 3, 4]);
    });

    test('loses nothing for a slow reader', async () => {
      const log = await opened();
      const key = newKey();
      const slow = (async () => {
        const seen: number[] = [];
        for await (const item of log.follow(key, 0, patience())) {
          seen.push(seqOf(item));
          for (let turns = 0; turns < 3; turns += 1) await turn();
        }
        return seen;
      })();
      for (const n of numbers(1, 499)) await log.append(key, 1, [delta(n)]);
      await log.append(key, 1, [finished]);
      expect(await slow).toEqual(numbers(1, 500));
    });

    test('throws the reason of its signal: before it begins, between events, and in mid-wait', async () => {
      const log = await opened();
      const key = newKey();
      await log.append(key, 1, [delta(1), delta(2)]);
      const reason = new Error('the client went away');

      const before = log.follow(key, 0, AbortSignal.abort(reason))[Symbol.asyncIterator]();
      await expect(before.next()).rejects.toBe(reason);

      const between = new AbortController();
      const reader = log.follow(key, 0, between.signal)[Symbol.asyncIterator]();
      expect(seqOf((await reader.next()).value)).toBe(1);
      between.abort(reason);
      await expect(reader.next()).rejects.toBe(reason);

      for (const [waitsOn, after] of [
        [key, 2],
        [newKey(), 0],
      ] as const) {
        const waiting = new AbortController();
        const next = log.follow(waitsOn, after, waiting.signal)[Symbol.asyncIterator]().next();
        await turn();
        waiting.abort(reason);
        await expect(next).rejects.toBe(reason);
        await vi.waitFor(() => expect(getEventListeners(waiting.signal, 'abort')).toHaveLength(0));
      }
    });

    test('leaves no listener on a signal that outlives the follower', async () => {
      const log = await opened();
      const { signal } = new AbortController();
      for (let round = 0; round < 20; round += 1) {
        const key = newKey();
        const all = collect(log, key, 0, signal);
        await log.append(key, 1, [delta(1)]);
        await log.append(key, 1, [finished]);
        expect(await all).toEqual([1, 2]);
      }
      await vi.waitFor(() => expect(getEventListeners(signal, 'abort')).toHaveLength(0));
    });

    test('works on after many followers came and were aborted', async () => {
      const log = await opened();
      const key = newKey();
      await log.append(key, 1, [delta(1)]);
      for (let round = 0; round < 500; round += 1) {
        const controller = new AbortController();
        const next = log.follow(key, 1, controller.signal)[Symbol.asyncIterator]().next();
        controller.abort(round);
        await expect(next).rejects.toBe(round);
      }
      const all = collect(log, key, 0);
      await log.append(key, 1, [finished]);
      expect(await all).toEqual([1, 2]);
    });

    test('neither loses nor repeats an event when a reader goes over from read to follow while events arrive', async () => {
      const log = await opened();
      const pauses = fc.integer({ min: 0, max: 3 });
      const batches = fc.array(fc.record({ size: fc.integer({ min: 1, max: 5 }), pause: pauses }), { maxLength: 20 });
      const reader = fc.record({
        pause: pauses,
        limit: fc.integer({ min: 1, max: 8 }),
        pages: fc.integer({ min: 0, max: 4 }),
        between: pauses,
      });
      await fc.assert(
        fc.asyncProperty(batches, fc.array(reader, { minLength: 1, maxLength: 4 }), async (written, readers) => {
          const key = newKey();
          const produce = async () => {
            let n = 0;
            for (const { size, pause } of written) {
              await turns(pause);
              await log.append(
                key,
                1,
                numbers(1, size).map(() => delta(++n)),
              );
            }
            await log.append(key, 1, [finished]);
            return n + 1;
          };
          const consume = async ({ pause, limit, pages, between }: (typeof readers)[number]) => {
            await turns(pause);
            const seen: number[] = [];
            for (let page = 0; page < pages; page += 1) {
              seen.push(...seqsOf((await log.read(key, seen.at(-1) ?? 0, limit)).events));
              await turns(between);
            }
            return [...seen, ...(await collect(log, key, seen.at(-1) ?? 0))];
          };
          const [last, ...seen] = await Promise.all([produce(), ...readers.map(consume)]);
          for (const each of seen) expect(each).toEqual(numbers(1, last));
        }),
        { numRuns: 100 },
      );
    });

    test('serves 200 followers of 500 events each', async () => {
      const log = await opened();
      const key = newKey();
      const followers = numbers(1, 200).map((n) => collect(log, key, n % 5));
      for (const n of numbers(0, 48)) await log.append(key, 1, numbers(n * 10 + 1, n * 10 + 10).map(delta));
      await log.append(key, 1, [...numbers(491, 499).map(delta), finished]);
      for (const [index, seen] of (await Promise.all(followers)).entries()) {
        expect(seen).toEqual(numbers(((index + 1) % 5) + 1, 500));
      }
    });
  });

  describe(`${name}: what is no longer kept`, () => {
    test('drops the oldest events of a long log, and shows the gap to readers and followers', async () => {
      const log = await opened({ ...roomy, maxEventsPerRun: 100 });
      const key = newKey();
      for (const n of numbers(0, 49)) await log.append(key, 1, numbers(n * 20 + 1, n * 20 + 20).map(delta));

      const page = await log.read(key, 0, 10_000);
      const gapUntil = page.gap?.gapUntil ?? 0;
      expect(gapUntil).toBeGreaterThan(0);
      expect(gapUntil).toBeLessThanOrEqual(900);
      expect(seqsOf(page.events)).toEqual(numbers(gapUntil + 1, 1000));
      expect(page.lastSeq).toBe(1000);

      // A cursor inside the gap and one before it read the same; one at its end, or later, sees none.
      expect(await log.read(key, gapUntil - 1, 5)).toMatchObject({ gap: { gapUntil }, lastSeq: 1000 });
      const limited = await log.read(key, 0, 5);
      expect(limited.gap).toEqual({ gapUntil });
      expect(seqsOf(limited.events)).toEqual(numbers(gapUntil + 1, gapUntil + 5));
      expect((await log.read(key, gapUntil, 5)).gap).toBeNull();
      expect(seqsOf((await log.read(key, 990, 5)).events)).toEqual(numbers(991, 995));

      await log.append(key, 1, [finished]);
      const items: (LoggedEvent | LogGap)[] = [];
      for await (const item of log.follow(key, 0, patience())) items.push(item);
      const [gap, ...events] = items;
      const until = gap !== undefined && 'gapUntil' in gap ? gap.gapUntil : Number.NaN;
      expect(until).toBeGreaterThanOrEqual(gapUntil);
      expect(events.map(seqOf)).toEqual(numbers(until + 1, 1001));
    });

    test('shows a follower that fell behind one gap, and then goes on after it', async () => {
      const log = await opened({ ...roomy, maxEventsPerRun: 50 });
      const key = newKey();
      await log.append(key, 1, [delta(1)]);
      const reader = log.follow(key, 0, patience())[Symbol.asyncIterator]();
      expect(seqOf((await reader.next()).value)).toBe(1);
      for (const n of numbers(2, 999)) await log.append(key, 1, [delta(n)]);
      await log.append(key, 1, [finished]);
      let position = 1;
      let gaps = 0;
      for (let next = await reader.next(); !next.done; next = await reader.next()) {
        if ('gapUntil' in next.value) {
          gaps += 1;
          expect(next.value.gapUntil).toBeGreaterThan(position);
          position = next.value.gapUntil;
        } else {
          expect(next.value.seq).toBe(position + 1);
          position = next.value.seq;
        }
      }
      expect(position).toBe(1000);
      expect(gaps).toBe(1);
    });

    test('drops an ended log after the retention; then it reads as unknown, and followers wait', async () => {
      const log = await opened({ ...roomy, retentionMs: 200 });
      const ended = newKey();
      const open = newKey();
      await log.append(open, 1, [delta(1)]);
      await log.append(ended, 1, [delta(1), finished]);
      await vi.waitFor(
        async () => expect(await log.read(ended, 0, 10)).toEqual({ gap: null, events: [], lastSeq: 0 }),
        { timeout: patienceMs, interval: 20 },
      );
      const reason = new Error('enough');
      const waiting = new AbortController();
      const next = log.follow(ended, 0, waiting.signal)[Symbol.asyncIterator]().next();
      await turns(3);
      waiting.abort(reason);
      await expect(next).rejects.toBe(reason);
      // Retention counts from the end: a log that has not ended stays.
      expect((await log.read(open, 0, 10)).lastSeq).toBe(1);
    });

    test('removes a log at once, open or ended; then it reads as unknown, and followers wait', async () => {
      const log = await opened();
      for (const last of [delta(2), finished]) {
        const key = newKey();
        await log.append(key, 1, [delta(1), last]);
        const reader = log.follow(key, 0, patience())[Symbol.asyncIterator]();
        expect(seqOf((await reader.next()).value)).toBe(1);
        await reader.return?.();
        await log.remove(key);
        expect(await log.read(key, 0, 10)).toEqual({ gap: null, events: [], lastSeq: 0 });
        const waiting = new AbortController();
        const next = log.follow(key, 0, waiting.signal)[Symbol.asyncIterator]().next();
        await turns(3);
        waiting.abort('enough');
        await expect(next).rejects.toBe('enough');
      }
      await log.remove(newKey());
    });

    test('does not leave a follower waiting when the log is closed', async () => {
      const log = await open(roomy);
      const key = newKey();
      await log.append(key, 1, [delta(1)]);
      const next = log.follow(key, 1, patience())[Symbol.asyncIterator]().next();
      const settled = expect(next).rejects.toMatchObject({ name: 'GatewayError', retryable: true });
      await log.close();
      await settled;
    });
  });
}

const finished: RunEvent = { type: 'RunFinished', usage: noUsage };
const cancelled: RunEvent = { type: 'RunCancelled', reason: 'asked to', usage: noUsage };
const failed: RunEvent = {
  type: 'RunFailed',
  usage: noUsage,
  error: { code: 'UPSTREAM_TIMEOUT', message: 'too slow', retryable: true, details: { phase: 'IDLE' } },
};

function delta(n: number): RunEvent {
  return { type: 'TextMessageDelta', messageId: 'm', delta: `word ${n} ` };
}

function newKey(): RunKey {
  return { tenant: 'tenant', runId: crypto.randomUUID() };
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}

function seqOf(item: LoggedEvent | LogGap): number {
  if ('gapUntil' in item) throw new Error(`a gap until ${item.gapUntil} where an event was expected`);
  return item.seq;
}

function seqsOf(events: readonly LoggedEvent[]): number[] {
  return events.map(({ seq }) => seq);
}

function patience(): AbortSignal {
  return AbortSignal.timeout(patienceMs);
}

async function collect(log: EventLog, key: RunKey, after: number, signal = patience()): Promise<number[]> {
  const seen: number[] = [];
  for await (const item of log.follow(key, after, signal)) seen.push(seqOf(item));
  return seen;
}

async function turns(count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) await turn();
}
