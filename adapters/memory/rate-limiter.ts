import { LRUCache } from 'lru-cache';
import type { Bucket, RateLimiter } from '../../core/contracts/rate-limiter.ts';

interface Level {
  units: number;
  at: number;
}

const minuteMs = 60_000;
/** Tenants and models come and go; a bucket that nobody took from for a minute is full, and need not be remembered. */
const mostBuckets = 100_000;

/**
 * Token buckets in the memory of this process. Not rate-limiter-flexible: its windows are fixed, so that whoever waits comes back with
 * everybody else at the window's end, and it cannot take from two buckets or from neither.
 */
export function memoryRateLimiter(now: () => number = () => performance.now()): RateLimiter {
  // By size, of one each: by `max` it would take the memory for all of them at once.
  const levels = new LRUCache<string, Level>({ maxSize: mostBuckets, sizeCalculation: () => 1 });

  function level(scope: string, { name, perMinute }: Bucket): Level {
    const key = `${scope}\n${name}`;
    const at = now();
    const known = levels.get(key);
    if (known === undefined) {
      const fresh = { units: perMinute, at };
      levels.set(key, fresh);
      return fresh;
    }
    known.units = Math.min(perMinute, known.units + ((at - known.at) * perMinute) / minuteMs);
    known.at = at;
    return known;
  }

  return {
    async take(scope, wanted) {
      let waitMs = 0;
      for (const bucket of wanted) {
        const missing = Math.min(bucket.units, bucket.perMinute) - level(scope, bucket).units;
        if (missing > 0) waitMs = Math.max(waitMs, Math.ceil((missing * minuteMs) / bucket.perMinute));
      }
      if (waitMs === 0) for (const bucket of wanted) level(scope, bucket).units -= bucket.units;
      return waitMs;
    },

    adjust(scope, units) {
      for (const bucket of units) level(scope, bucket).units -= bucket.units;
    },

    lower(scope, units) {
      for (const bucket of units) {
        const known = level(scope, bucket);
        known.units = Math.min(known.units, bucket.units);
      }
    },
  };
}
