import type { ResponseCache } from '../../core/contracts/response-cache.ts';
import { Patience } from '../../core/patience.ts';
import type { Script } from './connection.ts';
import type { RedisConnections } from './connections.ts';
import { RedisKeys, shardCount, shardOf } from './keys.ts';

export interface RedisResponseCacheOptions {
  readonly redis: RedisConnections;
  /** Of all replies together, over all instances. Redis drops nothing by itself: it holds the logs of runs too. */
  readonly maxBytes: number;
  readonly keyPrefix?: string;
  /** Calls wait for this answer: one that takes longer is done without, and so are those of the next second. */
  readonly patienceMs?: number;
}

/**
 * KEYS: the reply, the index of its shard (members "bytes key" by the time they end), the bytes of the shard. ARGV: the key, what a
 * key begins with, the reply, ms kept, bytes of the shard at most. The replies that are dropped lie in the same slot, by their tag.
 */
const setScript: Script = {
  name: 'sluiceKeepReply',
  lua: `
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    local function forget(member)
      redis.call('ZREM', KEYS[2], member)
      local bytes, key = member:match('^(%d+) (.*)$')
      redis.call('DECRBY', KEYS[3], bytes)
      redis.call('DEL', ARGV[2] .. key)
    end
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 100)) do forget(member) end
    local known = redis.call('STRLEN', KEYS[1])
    if known > 0 then forget(known .. ' ' .. ARGV[1]) end
    local size, most = #ARGV[3], tonumber(ARGV[5])
    while tonumber(redis.call('GET', KEYS[3]) or '0') + size > most do
      local first = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
      if not first then redis.call('DEL', KEYS[3]) break end
      forget(first)
    end
    redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
    redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[4]), size .. ' ' .. ARGV[1])
    redis.call('INCRBY', KEYS[3], size)
    for i = 2, 3 do
      redis.call('PEXPIRE', KEYS[i], string.format('%.0f', math.max(ARGV[4], redis.call('PTTL', KEYS[i]))))
    end
    return 1`,
};

/** Replies that all instances share. While Redis is away nothing is known and nothing is kept. */
export function redisResponseCache({
  redis,
  maxBytes,
  keyPrefix = 'sluice:',
  patienceMs = 100,
}: RedisResponseCacheOptions): ResponseCache {
  const keys = new RedisKeys(keyPrefix);
  const shardBytes = Math.floor(maxBytes / shardCount);
  const patience = new Patience(patienceMs);
  const inTime = async <T>(command: () => Promise<T>): Promise<T | null> =>
    redis.commands.isReady ? patience.within(command) : null;

  return {
    get: (key) =>
      maxBytes === 0 ? Promise.resolve(null) : inTime(() => redis.commands.client.get(keys.of('reply', key))),

    async set(key, reply, ttlMs) {
      if (Buffer.byteLength(reply) > shardBytes) return;
      const shard = shardOf(key);
      const begins = keys.inShard(shard, 'reply', '');
      const touched = [
        `${begins}${key}`,
        keys.inShard(shard, 'replies', 'index'),
        keys.inShard(shard, 'replies', 'bytes'),
      ];
      await inTime(() => redis.commands.run(setScript, touched, [key, begins, reply, ttlMs, shardBytes]));
    },
  };
}
