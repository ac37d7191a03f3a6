import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { appendScript } from '../../../adapters/redis/log-scripts.ts';
import { FencedError } from '../../../core/contracts/event-log.ts';
import { processorWait } from '../../helpers/processor-wait.ts';
import { hasRedis, type RedisServer, startRedis } from '../../helpers/redis-server.ts';
import { collect, connectTo, delta, finished, newKey, numbers, openLog } from './setup.ts';

const patience = { timeout: 20_000, interval: 20 };

describe.skipIf(!hasRedis)('redis event log: followers', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  async function clients(): Promise<number> {
    return String(await server.client.client('LIST'))
      .trim()
      .split('\n').length;
  }

  test('1,000 followers of a run at an instance that does not write it cost one read a batch', async () => {
    const [writer, reader] = [openLog(server.url), openLog(server.url)];
    const key = newKey();
    await writer.append(key, 1, [delta(1)]);
    const followers = numbers(1, 1_000).map(() => collect(reader, key));
    await vi.waitFor(() => expect(reader.stats().channels).toBe(1), patience);
    for (const n of numbers(1, 50))
      await writer.append(
        key,
        1,
        numbers(1, 10).map(() => delta(n)),
      );
    await writer.append(key, 1, [finished]);
    for (const seen of await Promise.all(followers)) expect(seen).toEqual(numbers(1, 502));
    const { reads, readEvents, pages } = reader.stats();
    // Each batch at the most once, and each event exactly once but for those that the first page had.
    expect(reads).toBeLessThanOrEqual(51 + 1);
    expect(readEvents).toBeLessThanOrEqual(501);
    expect(pages).toBeLessThanOrEqual(3);
    expect(writer.stats()).toMatchObject({ appends: 52, appendedEvents: 502, reads: 0 });
  });

  test('followers of many runs share one connection, and a run that is followed later joins a read under way', async () => {
    const [writer, reader] = [openLog(server.url), openLog(server.url)];
    await writer.read(newKey(), 0, 1);
    await reader.read(newKey(), 0, 1);
    const before = await clients();
    const keys = numbers(1, 200).map(() => newKey());
    const seen = keys.map((key) => collect(reader, key));
    await vi.waitFor(() => expect(reader.stats().pages).toBe(200), patience);
    await Promise.all(keys.map((key) => writer.append(key, 1, [delta(1)])));
    await vi.waitFor(async () => {
      expect(reader.stats().readEvents).toBe(200);
      expect(String(await server.client.client('LIST'))).toContain('flags=b');
    }, patience);
    const late = newKey();
    const seenLate = collect(reader, late);
    await vi.waitFor(() => expect(reader.stats().pages).toBe(201), patience);
    await writer.append(late, 1, [delta(1), finished]);
    // Long before the blocking read would have ended by itself.
    const [started, waitedMs] = [performance.now(), processorWait()];
    expect(await seenLate).toEqual([1, 2]);
    expect(performance.now() - started - waitedMs()).toBeLessThan(4_000);
    await Promise.all(keys.map((key) => writer.append(key, 1, [finished])));
    for (const each of await Promise.all(seen)) expect(each).toEqual([1, 2]);
    expect((await clients()) - before).toBe(1);
  });

  test('followers where a run is written are served from memory', async () => {
    const log = openLog(server.url);
    const key = newKey();
    await log.append(key, 1, [delta(1)]);
    const seen = numbers(1, 20).map(() => collect(log, key));
    for (const n of numbers(2, 100)) await log.append(key, 1, [delta(n)]);
    const late = collect(log, key);
    await log.append(key, 1, [finished]);
    for (const each of await Promise.all([...seen, late])) expect(each).toEqual(numbers(1, 101));
    expect(log.stats()).toMatchObject({ reads: 0, pages: 0 });
    expect(log.stats()).toMatchObject({ channels: 0, bytes: 0 });
  });

  test('followers go on where their run is taken over by another instance that says nothing to this one', async () => {
    const [first, second] = [openLog(server.url), openLog(server.url)];
    const key = newKey();
    await first.append(key, 1, [delta(1)]);
    const seen = collect(first, key);
    await second.fence(key, 2, 0);
    await second.append(key, 2, [delta(2)]);
    await second.append(key, 2, [delta(3), finished]);
    expect(await seen).toEqual([1, 2, 3, 4]);
  });

  test('followers go on at once when an append here is refused because the run is written elsewhere', async () => {
    const [first, second] = [openLog(server.url), openLog(server.url)];
    const key = newKey();
    await first.append(key, 1, [delta(1)]);
    const seen: number[] = [];
    const following = (async () => {
      for await (const item of first.follow(key, 0, AbortSignal.timeout(20_000))) {
        seen.push('gapUntil' in item ? Number.NaN : item.seq);
      }
    })();
    await second.append(key, 2, [delta(2)]);
    const refusal = first.append(key, 1, [delta(9)]);
    await expect(refusal).rejects.toBeInstanceOf(FencedError);
    await vi.waitFor(() => expect(seen).toEqual([1, 2]), { timeout: 1_500, interval: 5 });
    await second.append(key, 2, [finished]);
    await following;
    expect(seen).toEqual([1, 2, 3]);
  });

  test('a run that goes back and forth between instances is seen whole at both, in any mix', async () => {
    const logs = [openLog(server.url), openLog(server.url)] as const;
    const key = newKey();
    const seen = logs.flatMap((log) => [collect(log, key), collect(log, key)]);
    for (let attempt = 1; attempt <= 40; attempt += 1) {
      const log = logs[attempt % 2] ?? logs[0];
      await log.fence(key, attempt, 0);
      for (let n = 0; n < attempt % 4; n += 1) await log.append(key, attempt, [delta(n), delta(n)]);
    }
    const last = await logs[0].append(key, 41, [finished]);
    for (const each of await Promise.all(seen)) expect(each).toEqual(numbers(1, last));
  });

  test('a batch that comes again, also late and after others, is taken once', async () => {
    const { commands } = connectTo(server.url);
    await commands.whenReady(5_000, AbortSignal.timeout(5_000));
    const keys = ['{s0}:log:again', '{s0}:meta:again'];
    const send = (batch: number, ...events: string[]) =>
      commands.run(appendScript, keys, [1, 'writer', batch, 0, 100, 60_000, 60_000, 0, ...events]);
    expect(await send(1, '"a"', '"b"')).toMatchObject([1, 2, expect.any(Number)]);
    expect(await send(1, '"a"', '"b"')).toMatchObject([1, 2, expect.any(Number)]);
    expect(await send(2, '"c"')).toMatchObject([1, 3, expect.any(Number)]);
    expect(await send(1, '"a"', '"b"')).toMatchObject([1, 3, expect.any(Number)]);
    expect(await server.client.xlen('{s0}:log:again')).toBe(3);
    await server.client.del(...keys);
  });

  test('what belongs to a log goes together: an open one when it was abandoned, an ended one after its retention', async () => {
    const log = openLog(server.url, { retentionMs: 50_000, abandonedMs: 500_000 });
    const key = newKey();
    const expiries = async () =>
      await Promise.all((await server.client.keys(`*${key.runId}`)).map((name) => server.client.pexpiretime(name)));
    await log.append(key, 1, [delta(1)]);
    const [open, ...alsoOpen] = await expiries();
    expect(alsoOpen).toEqual([open]);
    expect((open ?? 0) - Date.now()).toBeGreaterThan(400_000);
    await log.append(key, 1, [finished]);
    const [ended, ...alsoEnded] = await expiries();
    expect(alsoEnded).toEqual([ended]);
    expect((ended ?? 0) - Date.now()).toBeLessThanOrEqual(50_000);
  });

  test('windows give way above their limit, and what they held is read from Redis', async () => {
    const [writer, reader] = [openLog(server.url), openLog(server.url)];
    const big = { type: 'TextMessageDelta', messageId: 'm', delta: 'x'.repeat(100_000) } as const;
    const keys = numbers(1, 80).map(() => newKey());
    for (const key of keys) for (let n = 0; n < 6; n += 1) await writer.append(key, 1, [big]);
    expect(writer.stats().bytes).toBeLessThanOrEqual(64 * 1024 * 1024);
    const seen = keys.slice(0, 3).flatMap((key) => [collect(writer, key), collect(reader, key)]);
    for (const key of keys) await writer.append(key, 1, [finished]);
    for (const each of await Promise.all(seen)) expect(each).toEqual(numbers(1, 7));
    expect(writer.stats().pages).toBeGreaterThan(0);
  });
});
