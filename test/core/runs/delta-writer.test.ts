import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { memoryEventLog } from '../../../adapters/memory/event-log.ts';
import { FencedError } from '../../../core/contracts/event-log.ts';
import type { RunEvent } from '../../../core/contracts/run-event.ts';
import { noUsage } from '../../../core/models/usage/usage-meter.ts';
import { createDeltaWriter, type DeltaWriterOptions } from '../../../core/runs/delta-writer.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const text = (delta: string, messageId = 'm'): RunEvent => ({ type: 'TextMessageDelta', messageId, delta });
const thought = (delta: string, messageId = 'm'): RunEvent => ({ type: 'ReasoningDelta', messageId, delta });
const started: RunEvent = { type: 'TextMessageStarted', messageId: 'm' };
const ended: RunEvent = { type: 'TextMessageEnded', messageId: 'm', finishReason: 'STOP' };
const reset: RunEvent = { type: 'TextMessageReset', messageId: 'm', reason: 'another model took over' };
const finished: RunEvent = { type: 'RunFinished', usage: noUsage };
const progress: RunEvent = { type: 'ProgressReported', done: 1, total: 2 };

const clock = { sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)) };
const settled = () => vi.advanceTimersByTimeAsync(0);

function recorded(options: Partial<DeltaWriterOptions> = {}) {
  const batches: (readonly RunEvent[])[] = [];
  const append = async (events: readonly RunEvent[]) => {
    batches.push(events);
    return batches.flat().length;
  };
  return { batches, writer: createDeltaWriter({ append, clock, ...options }) };
}

/** A log whose appends end when told to. */
function held(options: Partial<DeltaWriterOptions> = {}) {
  const batches: (readonly RunEvent[])[] = [];
  const pending: PromiseWithResolvers<number>[] = [];
  const append = (events: readonly RunEvent[]) => {
    batches.push(events);
    const ending = Promise.withResolvers<number>();
    pending.push(ending);
    return ending.promise;
  };
  return { batches, pending, writer: createDeltaWriter({ append, clock, ...options }) };
}

describe('the delta writer: when it appends', () => {
  test('appends the first text at once, and gathers what follows for 20 ms', async () => {
    const { batches, writer } = recorded();
    writer.write(text('a'));
    expect(batches).toEqual([[text('a')]]);
    writer.write(text('b'));
    await vi.advanceTimersByTimeAsync(10);
    writer.write(text('c'));
    await vi.advanceTimersByTimeAsync(9);
    expect(batches).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(batches).toEqual([[text('a')], [text('bc')]]);
  });

  test('appends the first text at once also right after the event that opens its message', async () => {
    const { batches, writer } = recorded();
    writer.write(started);
    writer.write(text('a'));
    await settled();
    expect(batches).toEqual([[started], [text('a')]]);
  });

  test('appends each delta at once when they come further apart than the interval', async () => {
    const { batches, writer } = recorded();
    for (const [index, letter] of ['a', 'b', 'c'].entries()) {
      writer.write(text(letter));
      expect(batches).toHaveLength(index + 1);
      await vi.advanceTimersByTimeAsync(30);
    }
    expect(batches).toEqual([[text('a')], [text('b')], [text('c')]]);
  });

  test.each([
    { lagMs: 0, intervalMs: 20 },
    { lagMs: 12, intervalMs: 32 },
    { lagMs: 30, intervalMs: 50 },
    { lagMs: 5000, intervalMs: 50 },
    { lagMs: Number.NaN, intervalMs: 20 },
    { lagMs: -3, intervalMs: 20 },
  ])('waits $intervalMs ms when the event loop lags $lagMs ms', async ({ lagMs, intervalMs }) => {
    const { batches, writer } = recorded({ eventLoopLagMs: () => lagMs });
    writer.write(text('a'));
    writer.write(text('b'));
    await vi.advanceTimersByTimeAsync(intervalMs - 1);
    expect(batches).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(batches).toHaveLength(2);
  });

  test('makes about 50 appends a second of 1,000 tokens a second, and loses no letter', async () => {
    const { batches, writer } = recorded();
    for (let n = 0; n < 1000; n += 1) {
      writer.write(text(`${n} `));
      await vi.advanceTimersByTimeAsync(1);
    }
    await writer.close();
    expect(batches.length).toBeGreaterThan(45);
    expect(batches.length).toBeLessThan(55);
    expect(textOf(batches.flat())).toBe(Array.from({ length: 1000 }, (_, n) => `${n} `).join(''));
  });

  test('leaves no timer behind once it is quiet', async () => {
    const { writer } = recorded();
    writer.write(text('a'));
    writer.write(text('b'));
    await vi.advanceTimersByTimeAsync(100);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the delta writer: order and joining', () => {
  test('appends other events at once, after the text before them', async () => {
    const { batches, writer } = recorded();
    writer.write(text('a'));
    writer.write(text('b'));
    writer.write(text('c'));
    writer.write(ended);
    await settled();
    expect(batches).toEqual([[text('a')], [text('bc'), ended]]);
  });

  test('joins neighbours of one message and one kind only', async () => {
    const { batches, writer } = recorded();
    writer.write(text('first'));
    const mixed = [
      thought('a'),
      thought('b'),
      text('c'),
      text('d', 'n'),
      text('e', 'n'),
      text('f'),
      progress,
      text('g'),
    ];
    for (const event of mixed) writer.write(event);
    await writer.close();
    expect(batches.flat()).toEqual([
      text('first'),
      thought('ab'),
      text('c'),
      text('de', 'n'),
      text('f'),
      progress,
      text('g'),
    ]);
  });

  test('does not change the events that it was given, and drops empty deltas', async () => {
    const { batches, writer } = recorded();
    const events = ['', 'a', 'b', '', 'c'].map((delta) => Object.freeze(text(delta)));
    for (const event of events) writer.write(event);
    await writer.close();
    expect(batches.flat()).toEqual([text('a'), text('bc')]);
  });

  test('has one append in flight, and joins all that comes meanwhile into the next one', async () => {
    const { batches, pending, writer } = held();
    writer.write(text('a'));
    for (let n = 0; n < 1000; n += 1) {
      writer.write(text('x'));
      await vi.advanceTimersByTimeAsync(1);
    }
    writer.write(progress);
    expect(batches).toHaveLength(1);
    pending[0]?.resolve(1);
    await settled();
    expect(batches).toEqual([[text('a')], [text('x'.repeat(1000)), progress]]);
  });
});

describe('the delta writer: half characters', () => {
  const [high, low] = ['\ud83d', '\ude00'] as const;

  test('keeps a high surrogate back until its mate comes', async () => {
    const { batches, writer } = recorded();
    writer.write(text(`a${high}`));
    await writer.flush();
    expect(batches).toEqual([[text('a')]]);
    writer.write(text(`${low}b`));
    await writer.close();
    expect(batches).toEqual([[text('a')], [text('😀b')]]);
  });

  test('keeps it back across text of another message and events between', async () => {
    const { batches, writer } = recorded();
    for (const event of [text(high), text('b', 'n'), thought('c'), progress, text(low)]) writer.write(event);
    await writer.close();
    expect(batches.flat()).toEqual([text('b', 'n'), thought('c'), progress, text('😀')]);
  });

  test('appends U+FFFD for it when its message or its run ends without the mate', async () => {
    for (const last of [ended, finished]) {
      const { batches, writer } = recorded();
      for (const event of [text(`a${high}`), last]) writer.write(event);
      await writer.close();
      expect(batches.flat()).toEqual([text('a'), text('\ufffd'), last]);
    }
    const { batches, writer } = recorded();
    writer.write(text(high));
    await writer.close();
    expect(batches.flat()).toEqual([text('\ufffd')]);
  });

  test('forgets it when its message is reset', async () => {
    const { batches, writer } = recorded();
    for (const event of [text(`a${high}`), reset, text('b')]) writer.write(event);
    await writer.close();
    expect(batches.flat()).toEqual([text('a'), reset, text('b')]);
  });

  test('gives back any text, cut anywhere, in pieces that are well formed', async () => {
    vi.useRealTimers();
    const pieces = fc.array(fc.tuple(fc.string({ unit: 'binary', maxLength: 6 }), fc.boolean()), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.integer({ min: 1, max: 3 }), async (written, size) => {
        const { batches, writer } = recorded({ clock: { sleep: () => Promise.resolve() } });
        for (const [piece, pause] of written) {
          // UTF-16 units, not characters: this is what cuts the pairs.
          for (let at = 0; at < piece.length; at += size) writer.write(text(piece.slice(at, at + size)));
          if (pause) await writer.flush();
        }
        await writer.close();
        const deltas = batches.flat();
        expect(textOf(deltas)).toBe(written.map(([piece]) => piece).join(''));
        for (const delta of deltas) expect(textOf([delta]).isWellFormed()).toBe(true);
      }),
    );
  });
});

describe('the delta writer: flush, close and failure', () => {
  test('flush resolves when everything written before it is in the log, and not earlier', async () => {
    const { batches, pending, writer } = held();
    writer.write(text('a'));
    writer.write(text('b'));
    let flushed = false;
    const flushing = writer.flush().then(() => {
      flushed = true;
    });
    await settled();
    expect(batches).toEqual([[text('a')]]);
    pending[0]?.resolve(1);
    await settled();
    // Without waiting for the interval: no time has passed.
    expect(batches).toEqual([[text('a')], [text('b')]]);
    expect(flushed).toBe(false);
    writer.write(text('c'));
    pending[1]?.resolve(2);
    await flushing;
    expect(batches).toHaveLength(2);
    await settled();
    pending[2]?.resolve(3);
  });

  test('flush and close give the seq of the newest event, without a clock of their own too', async () => {
    const log = memoryEventLog({ clock: Date, retentionMs: 60_000, maxEventsPerRun: 1000 });
    const key = { tenant: 'tenant', runId: 'run' };
    const writer = createDeltaWriter({ append: (events) => log.append(key, 1, events) });
    expect(await writer.flush()).toBe(0);
    for (const event of [started, text('a'), text('b'), ended]) writer.write(event);
    expect(await writer.flush()).toBe(3);
    writer.write(text('c'));
    writer.write(text('d'));
    await vi.advanceTimersByTimeAsync(20);
    expect(await writer.close()).toBe(4);
    await log.close();
  });

  test('flush has nothing to wait for when nothing was written', async () => {
    const { batches, writer } = recorded();
    await writer.flush();
    await writer.close();
    await writer.close();
    expect(batches).toEqual([]);
  });

  test('takes nothing after close', async () => {
    const { writer } = recorded();
    await writer.close();
    expect(() => writer.write(text('a'))).toThrow('TextMessageDelta was written to a closed delta writer');
  });

  test('tells of a failed append at once, and throws its error from every later write, flush and close', async () => {
    const onError = vi.fn();
    const { batches, pending, writer } = held({ onError });
    writer.write(text('a'));
    writer.write(text('b'));
    const flushing = expect(writer.flush()).rejects.toThrow('the log is full');
    const error = new Error('the log is full');
    pending[0]?.reject(error);
    await flushing;
    expect(onError.mock.calls).toEqual([[error]]);
    expect(() => writer.write(text('c'))).toThrow(error);
    await expect(writer.flush()).rejects.toBe(error);
    await expect(writer.close()).rejects.toBe(error);
    await vi.advanceTimersByTimeAsync(1000);
    expect(batches).toEqual([[text('a')]]);
    expect(onError).toHaveBeenCalledTimes(1);
  });

  test('tells of an append that throws instead of rejecting', async () => {
    const error = new TypeError('not a log');
    const onError = vi.fn();
    const append = () => {
      throw error;
    };
    const writer = createDeltaWriter({ append, clock, onError });
    writer.write(text('a'));
    expect(onError).toHaveBeenCalledWith(error);
    await expect(writer.flush()).rejects.toBe(error);
  });

  test('stops a producer that lost its run: the log takes over none of its text', async () => {
    const log = memoryEventLog({ clock: Date, retentionMs: 60_000, maxEventsPerRun: 1000 });
    const key = { tenant: 'tenant', runId: 'run' };
    const generation = new AbortController();
    const writer = createDeltaWriter({
      append: (events) => log.append(key, 1, events),
      clock,
      onError: (error) => generation.abort(error),
    });
    writer.write(text('old'));
    await writer.flush();
    await log.append(key, 2, [reset]);
    writer.write(text('never seen'));
    await vi.advanceTimersByTimeAsync(50);
    expect(generation.signal.reason).toBeInstanceOf(FencedError);
    expect(() => writer.write(text('nor this'))).toThrow(FencedError);
    await expect(writer.close()).rejects.toThrow(FencedError);
    expect((await log.read(key, 0, 10)).events.map(({ event }) => event)).toEqual([text('old'), reset]);
    await log.close();
  });
});

function textOf(events: readonly RunEvent[]): string {
  return events.map((event) => ('delta' in event ? event.delta : '')).join('');
}
