import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type RedisRunSignalsOptions, redisRunSignals } from '../../../adapters/redis/run-signals.ts';
import type { RunSignal, RunSignals } from '../../../core/contracts/run-signals.ts';
import { realClock } from '../../../server/real-clock.ts';
import { runSignalsContract } from '../../contract/run-signals.ts';
import { startProxy } from '../../helpers/proxy.ts';
import { hasRedis, type RedisServer, startRedis } from '../../helpers/redis-server.ts';
import { connectTo, newKey } from './setup.ts';

const patience = { timeout: 20_000, interval: 20 };

describe.skipIf(!hasRedis)('redisRunSignals', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  async function opened(options: Partial<RedisRunSignalsOptions> & { url?: string; silenceMs?: number } = {}) {
    const { url = server.url, silenceMs, ...rest } = options;
    const redis = connectTo(url, silenceMs);
    const signals = redisRunSignals({ redis, clock: realClock, instance: crypto.randomUUID(), ...rest });
    onTestFinished(() => signals.close());
    await redis.commands.whenReady(10_000, AbortSignal.timeout(10_000));
    return signals;
  }

  runSignalsContract('redisRunSignals', () => opened());

  async function hears(listener: RunSignals, sender: RunSignals): Promise<void> {
    const heard: RunSignal[] = [];
    using _listening = listener.listen((signal) => heard.push(signal));
    await vi.waitFor(() => {
      sender.send({ type: 'released' });
      expect(heard.length).toBeGreaterThan(0);
    }, patience);
  }

  test('a run that is followed for long stays followed, and is no more soon after its follower died', async () => {
    const here = await opened();
    await using proxy = await startProxy(server);
    const there = await opened({ url: `redis://127.0.0.1:${proxy.port}`, presenceMs: 600, renewEveryMs: 50 });
    const key = newKey();
    there.follow(key);
    await vi.waitFor(async () => expect(await here.isFollowedElsewhere(key)).toBe(true), patience);
    const expiry = async () =>
      Number((await server.client.zrange(String(await keyOf(key)), '0', '-1', 'WITHSCORES'))[1]);
    const first = await expiry();
    await vi.waitFor(async () => expect(await expiry()).toBeGreaterThan(first + 600), patience);
    proxy.close();
    await vi.waitFor(async () => expect(await here.isFollowedElsewhere(key)).toBe(false), patience);
    proxy.open();
    // Back again, it says so by itself.
    await vi.waitFor(async () => expect(await here.isFollowedElsewhere(key)).toBe(true), patience);
  });

  async function keyOf({ runId }: { runId: string }): Promise<string | undefined> {
    return (await server.client.keys(`*:followers:*${runId}`))[0];
  }

  test('an instance that cannot ask takes a run to be followed', async () => {
    await using proxy = await startProxy(server);
    const here = await opened({ url: `redis://127.0.0.1:${proxy.port}` });
    expect(await here.isFollowedElsewhere(newKey())).toBe(false);
    proxy.close();
    expect(await here.isFollowedElsewhere(newKey())).toBe(true);
  });

  test('an instance hears again after its connections were cut, and after they fell silent', async () => {
    await using proxy = await startProxy(server);
    const here = await opened({ url: `redis://127.0.0.1:${proxy.port}`, silenceMs: 300, renewEveryMs: 50 });
    const there = await opened();
    await hears(here, there);
    proxy.cut();
    await hears(here, there);
    const { connections } = proxy;
    proxy.holdAll();
    // Both are given up, and tried anew.
    await vi.waitFor(() => expect(proxy.connections).toBeGreaterThan(connections + 1), patience);
    proxy.cut();
    proxy.flow();
    await hears(here, there);
  });

  test('thousands of followed runs are renewed with a few commands', async () => {
    const signals = await opened({ renewEveryMs: 100 });
    for (let n = 0; n < 3_000; n += 1) signals.follow(newKey());
    await vi.waitFor(
      async () => expect((await server.client.keys('*:followers:*')).length).toBeGreaterThan(2_999),
      patience,
    );
    const calls = async () => Number(/cmdstat_evalsha:calls=(\d+)/.exec(await server.client.info('commandstats'))?.[1]);
    const before = await calls();
    await vi.waitFor(async () => expect(await calls()).toBeGreaterThan(before + 16), patience);
    // 3,000 runs in 16 shards, 200 a command: 16 commands a renewal.
    expect((await calls()) - before).toBeLessThan(3_000);
  });
});
