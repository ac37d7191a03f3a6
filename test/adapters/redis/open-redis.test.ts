import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openRedis } from '../../../adapters/redis/open-redis.ts';
import type { Logger } from '../../../core/contracts/logger.ts';
import type { RunSignal } from '../../../core/contracts/run-signals.ts';
import { realClock } from '../../../server/real-clock.ts';
import { newRun } from '../../contract/run-store.ts';
import { startRedisCluster } from '../../helpers/redis-cluster.ts';
import { hasRedis, hasRedisCli, startRedis } from '../../helpers/redis-server.ts';
import { collect, delta, finished, newKey, numbers, silent } from './setup.ts';

const patience = { timeout: 20_000, interval: 20 };

describe.skipIf(!hasRedis)('openRedis', () => {
  async function opened(url: string, logger = silent) {
    const redis = await openRedis({
      ...{ url, clock: realClock, logger, instance: crypto.randomUUID() },
      log: { retentionMs: 60_000, maxEventsPerRun: 1_000 },
    });
    onTestFinished(() => redis.close());
    return redis;
  }

  async function worksBetweenTwo(url: string): Promise<void> {
    const [here, there] = [await opened(url), await opened(url)];
    expect(here.health()).toEqual({ ok: true, detail: null });
    const keys = numbers(1, 30).map(() => newKey());
    const seen = keys.map((key) => collect(there.eventLog, key));
    for (const key of keys) {
      const run = newRun(key.tenant, { runId: key.runId });
      await here.runStore.claim(run, null, 'i');
      await here.eventLog.append(key, 1, [delta(1), finished]);
      await here.runStore.update(run, 1, { status: 'SUCCEEDED', lastSeq: 2 });
    }
    for (const each of await Promise.all(seen)) expect(each).toEqual([1, 2]);
    const runs = await there.runStore.byRunIds(
      'tenant',
      keys.map(({ runId }) => runId),
    );
    expect(runs.map(({ status }) => status)).toEqual(keys.map(() => 'SUCCEEDED'));
    expect((await there.runStore.list('tenant', {}, { first: 50, after: null })).items).toHaveLength(30);
    for (const key of keys) there.signals.follow(key);
    for (const key of keys) {
      await vi.waitFor(async () => expect(await here.signals.isFollowedElsewhere(key)).toBe(true), patience);
    }
    const heard: RunSignal[] = [];
    there.signals.listen((signal) => heard.push(signal));
    await vi.waitFor(() => {
      here.signals.send({ type: 'released' });
      expect(heard.length).toBeGreaterThan(0);
    }, patience);
    for (const key of keys) await here.eventLog.remove(key);
  }

  test('joins two instances over one server, and says when it is away', async () => {
    const server = await startRedis();
    onTestFinished(() => server[Symbol.asyncDispose]());
    await worksBetweenTwo(server.url);
    const lines: string[] = [];
    const line = (_fields: unknown, message: string) => void lines.push(message);
    const logger: Logger = { debug: line, info: line, warn: line, error: line, child: () => logger };
    const redis = await opened(server.url, logger);
    await server.stop();
    await vi.waitFor(() => {
      expect(redis.health()).toEqual({ ok: false, detail: expect.stringContaining(String(server.port)) });
    }, patience);
    await server.start('kept');
    await vi.waitFor(() => expect(redis.health().ok).toBe(true), patience);
    // Once an outage, however often it was tried in between.
    await vi.waitFor(() => expect(lines).toHaveLength(2), patience);
    expect(lines).toEqual(['Redis cannot be reached', 'Redis can be reached again']);
  });

  test.skipIf(!hasRedisCli)('joins two instances over a cluster', async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster[Symbol.asyncDispose]());
    await worksBetweenTwo(cluster.url);
  });

  test('opens while Redis is away, and uses it when it is there', async () => {
    const server = await startRedis();
    onTestFinished(() => server[Symbol.asyncDispose]());
    await server.stop();
    const redis = await opened(server.url);
    expect(redis.health().ok).toBe(false);
    const key = newKey();
    const appended = redis.eventLog.append(key, 1, [delta(1)]);
    await server.start('kept');
    expect(await appended).toBe(1);
  });
});
