import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { RateLimiter } from '../../core/contracts/rate-limiter.ts';

/** What every RateLimiter must do. Instances of one test share their buckets, unless they are `alone` in the world. */
export function rateLimiterContract(
  name: string,
  open: () => Promise<RateLimiter>,
  { alone = false }: { readonly alone?: boolean } = {},
): void {
  const newScope = () => `scope té:{nant} ${crypto.randomUUID()}`;
  const requests = (units: number, perMinute = 60) => [{ name: 'requests', perMinute, units }];
  const both = (units: number, tokens: number) => [
    { name: 'requests', perMinute: 60, units },
    { name: 'tokens', perMinute: 600, units: tokens },
  ];

  describe(`${name} keeps the contract of RateLimiter`, () => {
    test('a minute’s worth may be taken at once, and the next must wait for its share of the minute', async () => {
      const [limiter, scope] = [await open(), newScope()];
      for (let call = 0; call < 60; call += 1) expect(await limiter.take(scope, requests(1))).toBe(0);
      const waitMs = await limiter.take(scope, requests(1));
      expect(waitMs).toBeGreaterThan(0);
      expect(waitMs).toBeLessThanOrEqual(1_000);
      const forTen = await limiter.take(scope, requests(10));
      expect(forTen).toBeGreaterThan(8_000);
      expect(forTen).toBeLessThanOrEqual(10_000);
    });

    test('the wait that it names is enough', async () => {
      const [limiter, scope] = [await open(), newScope()];
      expect(await limiter.take(scope, requests(600, 600))).toBe(0);
      const waitMs = await limiter.take(scope, requests(1, 600));
      expect(waitMs).toBeLessThanOrEqual(100);
      await sleep(waitMs + 2);
      expect(await limiter.take(scope, requests(1, 600))).toBe(0);
    });

    test('takes from all buckets or from none, and names the longest wait', async () => {
      const [limiter, scope] = [await open(), newScope()];
      expect(await limiter.take(scope, both(1, 600))).toBe(0);
      const waitMs = await limiter.take(scope, both(1, 300));
      expect(waitMs).toBeGreaterThan(25_000);
      expect(waitMs).toBeLessThanOrEqual(30_000);
      // 59 requests are still there: the refused call took none.
      expect(await limiter.take(scope, requests(59))).toBe(0);
      expect(await limiter.take(scope, requests(1))).toBeGreaterThan(0);
    });

    test('more than a bucket can hold is taken from a full one, which then owes it', async () => {
      const [limiter, scope] = [await open(), newScope()];
      expect(await limiter.take(scope, requests(90))).toBe(0);
      expect(await limiter.take(scope, requests(1))).toBeGreaterThan(29_000);
    });

    test('gives back, never above a minute’s worth, and takes more without asking', async () => {
      const [limiter, scope] = [await open(), newScope()];
      expect(await limiter.take(scope, requests(60))).toBe(0);
      limiter.adjust(scope, requests(-20));
      await settled(limiter, scope, (waitMs) => waitMs === 0, requests(20));
      limiter.adjust(scope, requests(-500));
      await settled(limiter, scope, (waitMs) => waitMs === 0, requests(60));
      limiter.adjust(scope, requests(30));
      await settled(limiter, scope, (waitMs) => waitMs > 29_000, requests(1));
    });

    test('is lowered to what somebody else knows, and never raised by it', async () => {
      const [limiter, scope] = [await open(), newScope()];
      limiter.lower(scope, requests(0));
      await settled(limiter, scope, (waitMs) => waitMs > 0, requests(1));
      limiter.lower(scope, requests(50));
      expect(await limiter.take(scope, requests(2))).toBeGreaterThan(0);
    });

    test('scopes know nothing of each other', async () => {
      const limiter = await open();
      expect(await limiter.take(newScope(), requests(60))).toBe(0);
      expect(await limiter.take(newScope(), requests(60))).toBe(0);
    });

    test('of calls at the same time exactly as many pass as there is room for', async () => {
      const [first, second, scope] = [await open(), alone ? null : await open(), newScope()];
      const limiters = [first, second ?? first];
      const takes = Array.from({ length: 200 }, (_, call) => (limiters[call % 2] ?? first).take(scope, requests(1)));
      const passed = (await Promise.all(takes)).filter((waitMs) => waitMs === 0).length;
      expect(passed).toBeGreaterThanOrEqual(60);
      // One more for each second that this took.
      expect(passed).toBeLessThanOrEqual(62);
    });
  });
}

/** `adjust` and `lower` do not say when they are done. */
async function settled(
  limiter: RateLimiter,
  scope: string,
  isDone: (waitMs: number) => boolean,
  units: Parameters<RateLimiter['take']>[1],
): Promise<void> {
  await expect.poll(async () => isDone(await limiter.take(scope, units)), { interval: 5 }).toBe(true);
}
