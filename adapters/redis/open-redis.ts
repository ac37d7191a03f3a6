import type { Clock } from '../../core/contracts/clock.ts';
import type { Logger } from '../../core/contracts/logger.ts';
import type { RateLimiter } from '../../core/contracts/rate-limiter.ts';
import type { ResponseCache } from '../../core/contracts/response-cache.ts';
import type { RunSignals } from '../../core/contracts/run-signals.ts';
import type { UnstoredRunStore } from '../../core/contracts/run-store.ts';
import { RedisConnections } from './connections.ts';
import { type RedisEventLog, type RedisEventLogOptions, redisEventLog } from './event-log.ts';
import { redisRateLimiter } from './rate-limiter.ts';
import { redisResponseCache } from './response-cache.ts';
import { redisRunSignals } from './run-signals.ts';
import { redisRunStore } from './run-store.ts';

export interface OpenRedisOptions {
  /** `redis://…`, `rediss://…`, or `redis+cluster://…`: see `parseAddress`. */
  readonly url: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of this process: unique, and new at every start. */
  readonly instance: string;
  readonly log: Omit<RedisEventLogOptions, 'redis' | 'clock' | 'keyPrefix'>;
  readonly keyPrefix?: string;
}

export interface OpenedRedis {
  readonly eventLog: RedisEventLog;
  readonly runStore: UnstoredRunStore;
  readonly signals: RunSignals;
  /** `alone` counts while Redis is away. */
  rateLimiter(alone: RateLimiter): RateLimiter;
  responseCache(maxBytes: number): ResponseCache;
  /** From what is known already: it never waits. */
  health(): { readonly ok: boolean; readonly detail: string | null };
  close(): Promise<void>;
}

const firstConnectionMs = 5_000;

/**
 * What the instances share through Redis. Resolves once it can be reached, and after some seconds also when it cannot: then
 * `health` says so, and it is used as soon as it is there.
 */
export async function openRedis(options: OpenRedisOptions): Promise<OpenedRedis> {
  const { url, clock, logger, instance, log, keyPrefix = 'sluice:' } = options;
  const redis = new RedisConnections({ url, clock, logger });
  const shared = { redis, clock, keyPrefix };
  const eventLog = redisEventLog({ ...shared, ...log });
  const runStore = redisRunStore({ ...shared, retentionMs: log.retentionMs });
  const signals = redisRunSignals({ ...shared, instance });
  await redis.commands.whenReady(firstConnectionMs, new AbortController().signal);
  return {
    ...{ eventLog, runStore, signals },
    rateLimiter: (alone) => redisRateLimiter({ redis, keyPrefix, alone }),
    responseCache: (maxBytes) => redisResponseCache({ redis, keyPrefix, maxBytes }),
    health: () => redis.health(),
    async close() {
      await signals.close();
      await eventLog.close();
      redis.close();
    },
  };
}
