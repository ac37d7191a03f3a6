import type { RateLimiter, Units } from '../../core/contracts/rate-limiter.ts';
import { Patience } from '../../core/patience.ts';
import type { Script } from './connection.ts';
import type { RedisConnections } from './connections.ts';
import { RedisKeys } from './keys.ts';

export interface RedisRateLimiterOptions {
  readonly redis: RedisConnections;
  /** Counts while Redis is away. */
  readonly alone: RateLimiter;
  readonly keyPrefix?: string;
}

/** Calls wait for this answer. */
const patienceMs = 250;

/**
 * One hash a scope: each bucket's level and when it was so, by the clock of Redis, which all instances share. ARGV: what to do, then
 * name, rate and units of each bucket. Levels may be below zero: owed.
 */
const script: Script = {
  name: 'sluiceRate',
  lua: `
    local time = redis.call('TIME')
    local now = time[1] * 1000 + time[2] / 1000
    local levels, wait = {}, 0
    for i = 2, #ARGV, 3 do
      local rate, units = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
      local known = redis.call('HMGET', KEYS[1], ARGV[i], ARGV[i] .. ':at')
      local level = rate
      if known[1] then level = math.min(rate, known[1] + (now - known[2]) * rate / 60000) end
      levels[i] = level
      wait = math.max(wait, math.ceil((math.min(units, rate) - level) * 60000 / rate))
    end
    if ARGV[1] == 'take' and wait > 0 then return wait end
    local longest = 60000
    for i = 2, #ARGV, 3 do
      local rate, units, level = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), levels[i]
      if ARGV[1] == 'lower' then level = math.min(level, units) else level = math.min(rate, level - units) end
      redis.call('HSET', KEYS[1], ARGV[i], string.format('%.6f', level), ARGV[i] .. ':at', string.format('%.3f', now))
      longest = math.max(longest, math.ceil((rate - level) * 60000 / rate))
    end
    redis.call('PEXPIRE', KEYS[1], longest)
    return 0`,
};

/**
 * Token buckets that all instances share. While Redis is away, or does not answer in time, each instance counts for itself: limits are
 * then as many times too wide as there are instances, and nobody is locked out.
 */
export function redisRateLimiter({ redis, alone, keyPrefix = 'sluice:' }: RedisRateLimiterOptions): RateLimiter {
  const keys = new RedisKeys(keyPrefix);
  const patience = new Patience(patienceMs);

  async function run(
    action: 'take' | 'adjust' | 'lower',
    scope: string,
    units: readonly Units[],
  ): Promise<number | null> {
    const buckets = units.flatMap((bucket) => [bucket.name, bucket.perMinute, bucket.units]);
    const answer = await patience.within(() =>
      redis.commands.run(script, [keys.of('rate', scope)], [action, ...buckets]),
    );
    return answer === null ? null : Number(answer);
  }

  return {
    take: async (scope, units) => (await run('take', scope, units)) ?? alone.take(scope, units),
    async adjust(scope, units) {
      if ((await run('adjust', scope, units)) === null) alone.adjust(scope, units);
    },
    async lower(scope, units) {
      if ((await run('lower', scope, units)) === null) alone.lower(scope, units);
    },
  };
}
