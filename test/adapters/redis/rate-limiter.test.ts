import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { memoryRateLimiter } from '../../../adapters/memory/rate-limiter.ts';
import { redisRateLimiter } from '../../../adapters/redis/rate-limiter.ts';
import { rateLimiterContract } from '../../contract/rate-limiter.ts';
import { processorWait } from '../../helpers/processor-wait.ts';
import { hasRedis, type RedisServer, startRedis } from '../../helpers/redis-server.ts';
import { connectTo } from './setup.ts';

describe.skipIf(!hasRedis)('redisRateLimiter', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  async function opened() {
    const redis = connectTo(server.url);
    await redis.commands.whenReady(10_000, AbortSignal.timeout(10_000));
    return redisRateLimiter({ redis, alone: memoryRateLimiter() });
  }

  rateLimiterContract('redisRateLimiter', opened);

  test('buckets end with their use: a scope leaves nothing behind', async () => {
    const limiter = await opened();
    await limiter.take('short-lived', [{ name: 'requests', perMinute: 60, units: 1 }]);
    const [key] = await server.client.keys('*short-lived*');
    expect(key).toBeDefined();
    expect(await server.client.pttl(String(key))).toBeLessThanOrEqual(60_000);
  });

  test('while Redis says nothing each instance counts for itself, and waits for an answer once a second only', async () => {
    const limiter = await opened();
    const units = [{ name: 'requests', perMinute: 10, units: 1 }];
    expect(await limiter.take('outage', units)).toBe(0);
    server.suspend();
    try {
      const [begun, waitedMs] = [performance.now(), processorWait()];
      const waits: number[] = [];
      for (let call = 0; call < 12; call += 1) waits.push(await limiter.take('outage', units));
      expect(waits.filter((waitMs) => waitMs === 0)).toHaveLength(10);
      expect(performance.now() - begun - waitedMs()).toBeLessThan(1_000);
    } finally {
      server.resume();
    }
  });
});
