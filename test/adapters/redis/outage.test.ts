import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { RedisEventLog } from '../../../adapters/redis/event-log.ts';
import { FencedError, LogLostError, type RunKey } from '../../../core/contracts/event-log.ts';
import { attemptLog } from '../../../core/runs/attempt-log.ts';
import { realClock } from '../../../server/real-clock.ts';
import { startProxy } from '../../helpers/proxy.ts';
import { hasRedis, type RedisServer, startRedis } from '../../helpers/redis-server.ts';
import { collect, delta, finished, newKey, numbers, openLog } from './setup.ts';

const patience = { timeout: 20_000, interval: 20 };

async function opened(): Promise<RedisServer> {
  const server = await startRedis();
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** Writes event after event as an attempt does that owns its run, each after the one before it is in the log, until it is told to end. */
function produce(log: RedisEventLog, key: RunKey): { readonly written: () => number; end(): Promise<number> } {
  let written = 0;
  let ending = false;
  const own = attemptLog(
    { log, store: { stillOwned: async (runs) => runs }, clock: realClock },
    { ...key, attempt: 1 },
  );
  const done = (async () => {
    while (!ending) {
      written = await own.append([delta(written + 1)]);
      await sleep(2);
    }
    return await own.append([finished]);
  })();
  done.catch(() => {});
  return {
    written: () => written,
    end: () => {
      ending = true;
      return done;
    },
  };
}

describe.skipIf(!hasRedis)('redis event log: Redis goes away', () => {
  test.each(['stop', 'kill'] as const)('%s: streams go on without a gap or a double once it is back', async (how) => {
    const server = await opened();
    const [writer, reader] = [openLog(server.url), openLog(server.url)];
    const keys = numbers(1, 20).map(() => newKey());
    const seen = keys.flatMap((key) => [collect(writer, key), collect(reader, key)]);
    const producers = keys.map((key) => produce(writer, key));
    for (let outage = 0; outage < 2; outage += 1) {
      const before = producers.map(({ written }) => written());
      await vi.waitFor(() => {
        for (const [index, { written }] of producers.entries())
          expect(written()).toBeGreaterThan((before[index] ?? 0) + 5);
      }, patience);
      await server[how]();
      // A follower that comes while Redis is away waits for it too.
      const key = keys[outage];
      if (key !== undefined) seen.push(collect(reader, key));
      await sleep(1_000);
      await server.start('kept');
    }
    const lasts = await Promise.all(producers.map(({ end }) => end()));
    const all = await Promise.all(seen);
    for (const [index, events] of all.entries()) {
      const run = index < 40 ? Math.floor(index / 2) : index - 40;
      expect(events).toEqual(numbers(1, lasts[run] ?? 0));
    }
    expect(writer.stats().waitingBytes).toBe(0);
  });

  test('emptied under a live run: no number is given twice, followers go on, and newcomers see a gap and the end', async () => {
    const server = await opened();
    const [writer, reader] = [openLog(server.url), openLog(server.url)];
    const key = newKey();
    const seen = [collect(writer, key), collect(reader, key)];
    const producer = produce(writer, key);
    await vi.waitFor(() => expect(producer.written()).toBeGreaterThan(20), patience);
    await server.kill();
    await server.start('lost');
    const [first, ...rest] = await server.client.keys('*');
    expect([first, ...rest].filter((name) => name?.includes(':log:')).length).toBeLessThan(2);
    const before = producer.written();
    await vi.waitFor(() => expect(producer.written()).toBeGreaterThan(before + 20), patience);
    const last = await producer.end();
    for (const events of await Promise.all(seen)) {
      const seqs = events.map((seq) => (typeof seq === 'number' ? seq : Number(seq.slice(1))));
      expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
      expect(new Set(seqs).size).toBe(seqs.length);
      expect(seqs.at(-1)).toBe(last);
      // Each was up to date, but for what was lost unread.
      expect(last - events.length).toBeLessThan(10);
    }
    const page = await reader.read(key, 0, 1);
    expect(page.gap?.gapUntil).toBeGreaterThan(20);
    expect((await collect(openLog(server.url), key)).slice(0, 2)).toEqual([
      `…${page.gap?.gapUntil}`,
      (page.gap?.gapUntil ?? 0) + 1,
    ]);
  });

  test('emptied after the end: the log reads as unknown, and its followers wait to be told by the run', async () => {
    const server = await opened();
    const log = openLog(server.url);
    const key = newKey();
    await log.append(key, 1, [delta(1), finished]);
    await server.client.flushall();
    expect(await log.read(key, 0, 10)).toEqual({ gap: null, events: [], lastSeq: 0 });
    const waiting = new AbortController();
    const next = log.follow(key, 0, waiting.signal)[Symbol.asyncIterator]().next();
    await vi.waitFor(() => expect(log.stats().pages).toBe(1), patience);
    waiting.abort('told by the run');
    await expect(next).rejects.toBe('told by the run');
  });

  test('emptied, and the run taken over: followers see a gap up to the new attempt, and its events', async () => {
    const server = await opened();
    const [writer, reader] = [openLog(server.url), openLog(server.url)];
    const key = newKey();
    await writer.append(key, 1, numbers(1, 3).map(delta));
    const seen = [collect(writer, key), collect(reader, key)];
    await vi.waitFor(() => expect(reader.stats().pages).toBe(1), patience);
    await server.client.flushall();
    const other = openLog(server.url);
    expect(await other.fence(key, 2, 0)).toEqual({ lastSeq: 0, ended: false });
    await other.fence(key, 2, 1_000_000);
    await other.append(key, 2, [delta(4), finished]);
    const expected = [1, 2, 3, '…1000000', 1_000_001, 1_000_002];
    expect(await Promise.all(seen)).toEqual([expected, expected]);
    await expect(writer.append(key, 1, [delta(9)])).rejects.toThrow('no longer owns');
  });

  test('emptied, with the fence of a later attempt: the earlier one cannot write, whoever of them comes first', async () => {
    const server = await opened();
    const [before, after] = [openLog(server.url), openLog(server.url)];
    const key = newKey();
    await before.append(key, 1, numbers(1, 3).map(delta));
    const seen = [collect(before, key), collect(after, key)];
    await after.fence(key, 2, 0);
    await after.append(key, 2, [delta(4)]);
    await server.client.flushall();
    // It has not heard of the fence, and does not own the run in the store.
    const stale = attemptLog(
      { log: before, store: { stillOwned: async () => [] }, clock: realClock },
      { ...key, attempt: 1 },
    );
    await expect(before.append(key, 1, [delta(9)])).rejects.toThrow(LogLostError);
    await expect(stale.append([delta(9)])).rejects.toThrow(FencedError);
    const owner = attemptLog(
      { log: after, store: { stillOwned: async (runs) => runs }, clock: realClock },
      { ...key, attempt: 2 },
    );
    expect(await owner.append([delta(5)])).toBe(5);
    await expect(stale.append([delta(9)])).rejects.toThrow(FencedError);
    expect(await owner.end(finished)).toBe(6);
    // Whoever had not seen what was lost is told so.
    const told = [numbers(1, 6), [1, 2, 3, '…4', 5, 6]];
    for (const events of await Promise.all(seen)) expect(told).toContainEqual(events);
  });

  test('a log that was lost and begins anew is shown to newcomers as it is now', async () => {
    const server = await opened();
    const reader = openLog(server.url);
    const key = newKey();
    // More than a process keeps, so that the beginning is read from Redis.
    await openLog(server.url).append(key, 1, numbers(1, 2_500).map(delta));
    const ahead = reader.follow(key, 2_500, AbortSignal.timeout(20_000))[Symbol.asyncIterator]().next();
    await vi.waitFor(() => expect(reader.stats().pages).toBe(1), patience);
    await server.client.flushall();
    const other = openLog(server.url);
    await other.append(key, 1, numbers(1, 10).map(delta));
    const newcomer = collect(reader, key);
    await vi.waitFor(() => expect(reader.stats().pages).toBe(2), patience);
    await other.append(key, 1, [...numbers(11, 20).map(delta), finished]);
    expect(await newcomer).toEqual(numbers(1, 21));
    // For one that is ahead of an ended log there is nothing to come.
    expect(await ahead).toEqual({ done: true, value: undefined });
  });

  test('appends wait for Redis no longer than maxOutageMs, and then say so', async () => {
    const server = await opened();
    const log = openLog(server.url, { maxOutageMs: 300 });
    const key = newKey();
    await log.append(key, 1, [delta(1)]);
    await server.stop();
    const lost = log.append(key, 1, [delta(2)]);
    // It is lost with the one before it, at the same time: nothing may follow where something is missing.
    const behind = log.append(key, 1, [delta(3)]);
    for (const append of [lost, behind]) {
      await expect(append).rejects.toMatchObject({
        name: 'GatewayError',
        code: 'UPSTREAM_UNAVAILABLE',
        retryable: true,
        // A timer may fire a millisecond early.
        message: expect.stringMatching(/for (?:299|3\d\d) ms/),
      });
    }
    await server.start('kept');
    await vi.waitFor(async () => expect(await log.append(key, 1, [finished])).toBe(2), patience);
  });

  test('what waits for Redis is bounded', async () => {
    const server = await opened();
    const log = openLog(server.url, { maxBufferedBytes: 100_000 });
    const [key, other] = [newKey(), newKey()];
    await log.append(key, 1, [delta(1)]);
    await server.stop();
    const big = { type: 'TextMessageDelta', messageId: 'm', delta: 'x'.repeat(90_000) } as const;
    const waits = log.append(key, 1, [big]);
    await expect(log.append(other, 1, [big])).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      retryable: true,
      details: { limit: 100_000 },
    });
    await server.start('kept');
    expect(await waits).toBe(2);
    expect(await log.append(other, 1, [big])).toBe(1);
  });

  test('a reader is told after two seconds, and a follower can be aborted', async () => {
    const server = await opened();
    const log = openLog(server.url);
    const key = newKey();
    await log.append(key, 1, [delta(1)]);
    await server.stop();
    const controller = new AbortController();
    const waiting = log.follow(key, 1, controller.signal)[Symbol.asyncIterator]().next();
    const unknown = log.follow(newKey(), 0, controller.signal)[Symbol.asyncIterator]().next();
    await expect(log.read(key, 0, 10)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true });
    controller.abort('gone');
    await expect(waiting).rejects.toBe('gone');
    await expect(unknown).rejects.toBe('gone');
  });
});

describe.skipIf(!hasRedis)('redis event log: the network fails', () => {
  test('a connection cut between an append and its answer neither loses nor doubles the append', async () => {
    const server = await opened();
    await using proxy = await startProxy(server);
    const writer = openLog(`redis://127.0.0.1:${proxy.port}`);
    const reader = openLog(server.url);
    const key = newKey();
    const seen = collect(reader, key);
    await writer.append(key, 1, [delta(1)]);
    for (let round = 2; round <= 20; round += 1) {
      proxy.holdAnswers();
      const append = writer.append(key, 1, [delta(round)]);
      // Redis has it …
      await vi.waitFor(async () => expect((await reader.read(key, 0, 100)).lastSeq).toBe(round), patience);
      // … and its answer is lost.
      proxy.cut();
      proxy.flow();
      expect(await append).toBe(round);
    }
    await writer.append(key, 1, [finished]);
    expect(await seen).toEqual(numbers(1, 21));
    const { events } = await reader.read(key, 0, 100);
    expect(events.map(({ event }) => event)).toEqual([...numbers(1, 20).map(delta), finished]);
  });

  test('connections cut at any moment lose and double nothing, for writers as for followers', async () => {
    const server = await opened();
    await using proxy = await startProxy(server);
    const url = `redis://127.0.0.1:${proxy.port}`;
    const [writer, reader] = [openLog(url), openLog(url)];
    const keys = numbers(1, 10).map(() => newKey());
    const seen = keys.map((key) => collect(reader, key));
    const producers = keys.map((key) => produce(writer, key));
    for (let round = 0; round < 15; round += 1) {
      const before = producers.map(({ written }) => written());
      await vi.waitFor(() => {
        for (const [index, { written }] of producers.entries()) expect(written()).toBeGreaterThan(before[index] ?? 0);
      }, patience);
      await proxy.requested(round * 131);
      proxy.cut();
    }
    const lasts = await Promise.all(producers.map(({ end }) => end()));
    expect(await Promise.all(seen)).toEqual(lasts.map((last) => numbers(1, last)));
  });

  test('a connection that is silent, and not closed, is given up', async () => {
    const server = await opened();
    await using proxy = await startProxy(server);
    const writer = openLog(`redis://127.0.0.1:${proxy.port}`, { silenceMs: 300 });
    const key = newKey();
    await writer.append(key, 1, [delta(1)]);
    proxy.holdAll();
    const append = writer.append(key, 1, [delta(2)]);
    // It tries anew, which is as silent.
    await vi.waitFor(() => expect(proxy.connections).toBeGreaterThan(2), patience);
    // What was sent over the connections that were given up arrives now, beside what is sent again.
    proxy.flow();
    expect(await append).toBe(2);
    for (let n = 3; n <= 30; n += 1) expect(await writer.append(key, 1, [delta(n)])).toBe(n);
    expect((await writer.read(key, 0, 100)).events.map(({ event }) => event)).toEqual(numbers(1, 30).map(delta));
  });

  test('a server that stands still and goes on takes each append once', async () => {
    const server = await opened();
    const [writer, reader] = [openLog(server.url, { silenceMs: 300 }), openLog(server.url, { silenceMs: 300 })];
    const key = newKey();
    const seen = collect(reader, key);
    await writer.append(key, 1, [delta(1)]);
    for (let round = 2; round <= 4; round += 1) {
      server.suspend();
      const append = writer.append(key, 1, [delta(round)]);
      await sleep(900);
      server.resume();
      expect(await append).toBe(round);
    }
    await writer.append(key, 1, [finished]);
    expect(await seen).toEqual(numbers(1, 5));
  });
});
