import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redisResponseCache } from '../../../adapters/redis/response-cache.ts';
import { responseCacheContract } from '../../contract/response-cache.ts';
import { processorWait } from '../../helpers/processor-wait.ts';
import { hasRedis, type RedisServer, startRedis } from '../../helpers/redis-server.ts';
import { connectTo } from './setup.ts';

describe.skipIf(!hasRedis)('redisResponseCache', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  /** Of more patience than the gateway's: this machine may be busy. */
  async function opened(maxBytes: number, keyPrefix = `${randomUUID()}:`, patienceMs = 10_000) {
    const redis = connectTo(server.url);
    await redis.commands.whenReady(10_000, AbortSignal.timeout(10_000));
    return redisResponseCache({ redis, maxBytes, keyPrefix, patienceMs });
  }

  responseCacheContract('redisResponseCache', opened);

  test('is one for all instances, and leaves nothing behind once everything is over', async () => {
    const prefix = `${randomUUID()}:`;
    const [one, other] = [await opened(100_000, prefix), await opened(100_000, prefix)];
    const key = randomUUID();
    await one.set(key, 'shared', 500);
    expect(await other.get(key)).toBe('shared');
    await expect.poll(() => server.client.keys(`${prefix}*`)).toEqual([]);
  });

  test('while Redis says nothing it knows nothing, at once but for one wait a second', async () => {
    const prefix = `${randomUUID()}:`;
    await (await opened(100_000, prefix)).set('key', 'reply', 60_000);
    const cache = await opened(100_000, prefix, 100);
    server.suspend();
    try {
      const [begun, waitedMs] = [performance.now(), processorWait()];
      for (let look = 0; look < 20; look += 1) {
        expect(await cache.get('key')).toBeNull();
        await cache.set('key', 'other', 60_000);
      }
      expect(performance.now() - begun - waitedMs()).toBeLessThan(500);
    } finally {
      server.resume();
    }
    await expect.poll(() => cache.get('key')).not.toBeNull();
  });
});
