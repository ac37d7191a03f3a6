import { randomUUID } from 'node:crypto';
import { openRedis } from '../../adapters/redis/open-redis.ts';
import { realClock } from '../../server/real-clock.ts';
import { createLogger } from '../../server/telemetry/logger.ts';
import { startRedis } from '../../test/helpers/redis-server.ts';

const forMs = 5_000;

export interface RedisLimit {
  readonly appendsPerSecond: number;
  /** Of Redis, which is one thread: what an append costs when it has nothing to wait for. */
  readonly cpuUs: number;
  readonly bytesKept: number;
}

/** As many appends of one token as go through, each of so many runs with one in flight, as the delta writer has it. */
export async function redisLimit(runs: number): Promise<RedisLimit> {
  await using redis = await startRedis();
  const logger = createLogger({ level: 'warn', secrets: [] });
  const opened = await openRedis({
    ...{ url: redis.url, clock: realClock, logger, instance: randomUUID() },
    log: { retentionMs: 3_600_000, maxEventsPerRun: 100_000 },
  });
  const reading = async (): Promise<{ cpuUs: number; bytes: number }> => {
    const info = await redis.client.info();
    const value = (name: string): number => Number(new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1]);
    return { cpuUs: 1e6 * (value('used_cpu_user') + value('used_cpu_sys')), bytes: value('used_memory') };
  };
  const keys = Array.from({ length: runs }, () => ({ tenant: 'default', runId: randomUUID() }));
  const append = (key: (typeof keys)[number]) =>
    opened.eventLog.append(key, 1, [{ type: 'TextMessageDelta', messageId: key.runId, delta: 'token ' }]);
  let appends = 0;
  try {
    await Promise.all(keys.map(append));
    const before = await reading();
    const begun = performance.now();
    await Promise.all(
      keys.map(async (key) => {
        while (performance.now() - begun < forMs) {
          await append(key);
          appends += 1;
        }
      }),
    );
    const seconds = (performance.now() - begun) / 1_000;
    const after = await reading();
    return {
      appendsPerSecond: appends / seconds,
      cpuUs: (after.cpuUs - before.cpuUs) / appends,
      bytesKept: (after.bytes - before.bytes) / appends,
    };
  } finally {
    await opened.close();
  }
}
