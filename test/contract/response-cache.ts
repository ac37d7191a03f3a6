import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ResponseCache } from '../../core/contracts/response-cache.ts';

const minuteMs = 60_000;

/** What every ResponseCache must do. `open` gives an empty one, of so many bytes. */
export function responseCacheContract(name: string, open: (maxBytes: number) => Promise<ResponseCache>): void {
  describe(`${name} keeps the contract of ResponseCache`, () => {
    test('gives what was kept last, and nothing for what was not', async () => {
      const cache = await open(1_000_000);
      const [key, other] = [randomUUID(), randomUUID()];
      expect(await cache.get(key)).toBeNull();
      await cache.set(key, 'first', minuteMs);
      await cache.set(key, 'Grüße, 世界 🦦\n\u0000', minuteMs);
      expect(await cache.get(key)).toBe('Grüße, 世界 🦦\n\u0000');
      expect(await cache.get(other)).toBeNull();
    });

    test('gives nothing whose time is over', async () => {
      const cache = await open(1_000_000);
      const [short, long] = [randomUUID(), randomUUID()];
      await cache.set(long, 'long', minuteMs);
      await cache.set(short, 'short', 40);
      expect(await cache.get(short)).toBe('short');
      await expect.poll(() => cache.get(short)).toBeNull();
      expect(await cache.get(long)).toBe('long');
    });

    test('a reply that is kept again has its time anew', async () => {
      const cache = await open(1_000_000);
      const key = randomUUID();
      await cache.set(key, 'old', 30);
      await cache.set(key, 'new', minuteMs);
      await new Promise((resolve) => setTimeout(resolve, 60));
      expect(await cache.get(key)).toBe('new');
    });

    test('never holds more than its bytes, and keeps what came last', async () => {
      const maxBytes = 400_000;
      const cache = await open(maxBytes);
      const reply = 'x'.repeat(2_000);
      const keys = Array.from({ length: 500 }, () => randomUUID());
      for (const key of keys) await cache.set(key, reply, minuteMs);
      const kept = await Promise.all(keys.map((key) => cache.get(key)));
      const count = kept.filter((found) => found !== null).length;
      expect(count * reply.length).toBeLessThanOrEqual(maxBytes);
      expect(count).toBeGreaterThan(50);
      expect(kept.at(-1)).toBe(reply);
    });

    test('does not keep what is larger than itself, and goes on', async () => {
      const cache = await open(100_000);
      const key = randomUUID();
      await cache.set(key, 'x'.repeat(200_000), minuteMs);
      expect(await cache.get(key)).toBeNull();
      await cache.set(key, 'small', minuteMs);
      expect(await cache.get(key)).toBe('small');
    });

    test('of no bytes keeps nothing', async () => {
      const cache = await open(0);
      await cache.set('key', 'reply', minuteMs);
      expect(await cache.get('key')).toBeNull();
    });
  });
}
