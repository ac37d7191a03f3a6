import { memoryEventLog } from '../../adapters/memory/event-log.ts';
import { memoryRateLimiter } from '../../adapters/memory/rate-limiter.ts';
import { memoryResponseCache } from '../../adapters/memory/response-cache.ts';
import { memoryRunSignals } from '../../adapters/memory/run-signals.ts';
import { memoryRunStore } from '../../adapters/memory/run-store.ts';
import type { EventLog } from '../../core/contracts/event-log.ts';
import type { Logger } from '../../core/contracts/logger.ts';
import type { RateLimiter } from '../../core/contracts/rate-limiter.ts';
import type { ResponseCache } from '../../core/contracts/response-cache.ts';
import type { RunSignals } from '../../core/contracts/run-signals.ts';
import type { UnstoredRunStore } from '../../core/contracts/run-store.ts';
import type { ComponentHealth } from '../../core/health.ts';
import type { Config } from '../config/config-schema.ts';
import { realClock } from '../real-clock.ts';

/** What instances share beside the database: events of runs, runs that are not stored, word of each other, rates per minute, and replies. */
export interface Logs {
  readonly log: EventLog;
  readonly unstored: UnstoredRunStore;
  readonly signals: RunSignals;
  readonly rateLimiter: RateLimiter;
  readonly responseCache: ResponseCache;
  readonly health: () => readonly ComponentHealth[];
  readonly close: () => Promise<void>;
}

/** In Redis, where other instances share them, or in the memory of a gateway that is alone. */
export async function openLogs(config: Config, instance: string, logger: Logger): Promise<Logs> {
  if (config.redisUrl === undefined) return memoryLogs(config);
  // Dozens of files, for which a start without Redis does not wait.
  const { openRedis } = await import('../../adapters/redis/open-redis.ts');
  const log = { ...config.log, abandonedMs: abandonedAfterMs(config) };
  const redis = await openRedis({ url: config.redisUrl, clock: realClock, logger, instance, log });
  return {
    log: redis.eventLog,
    unstored: redis.runStore,
    signals: redis.signals,
    rateLimiter: redis.rateLimiter(memoryRateLimiter()),
    responseCache: redis.responseCache(config.sharing.maxCacheBytes),
    health: () => [{ name: 'redis', ...redis.health() }],
    close: () => redis.close(),
  };
}

/** A run that waits for a person says nothing for as long as it may wait, and its followers come back to its whole log. */
function abandonedAfterMs({ runs }: Config): number {
  return runs.parkedTimeoutMs + 86_400_000;
}

function memoryLogs(config: Config): Logs {
  const { log: options, limits, sharing } = config;
  const log = memoryEventLog({ clock: realClock, ...options, abandonedMs: abandonedAfterMs(config) });
  const unstored = memoryRunStore({
    clock: realClock,
    retentionMs: options.retentionMs,
    maxRuns: 4 * (limits.maxRuns + limits.maxQueuedRuns),
  });
  return {
    ...{ log, unstored },
    signals: memoryRunSignals(),
    rateLimiter: memoryRateLimiter(),
    responseCache: memoryResponseCache({ maxBytes: sharing.maxCacheBytes }),
    health: () => [],
    close: () => log.close(),
  };
}
