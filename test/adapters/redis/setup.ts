import { onTestFinished } from 'vitest';
import { RedisConnections } from '../../../adapters/redis/connections.ts';
import { type RedisEventLog, type RedisEventLogOptions, redisEventLog } from '../../../adapters/redis/event-log.ts';
import type { RunKey } from '../../../core/contracts/event-log.ts';
import type { Logger } from '../../../core/contracts/logger.ts';
import type { RunEvent, TerminalEvent } from '../../../core/contracts/run-event.ts';
import { noUsage } from '../../../core/models/usage/usage-meter.ts';
import { realClock } from '../../../server/real-clock.ts';

export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

export function connectTo(url: string, silenceMs?: number): RedisConnections {
  const redis = new RedisConnections({ url, clock: realClock, logger: silent, ...(silenceMs ? { silenceMs } : {}) });
  onTestFinished(() => redis.close());
  return redis;
}

/** The log of one instance, closed with its connections when the test ends. */
export function openLog(
  url: string,
  { silenceMs, ...options }: Partial<RedisEventLogOptions> & { readonly silenceMs?: number } = {},
): RedisEventLog {
  const redis = connectTo(url, silenceMs);
  const log = redisEventLog({ redis, clock: realClock, retentionMs: 60_000, maxEventsPerRun: 10_000, ...options });
  onTestFinished(() => log.close());
  return log;
}

export const newKey = (tenant = 'tenant'): RunKey => ({ tenant, runId: crypto.randomUUID() });
export const delta = (n: number): RunEvent => ({ type: 'TextMessageDelta', messageId: 'm', delta: `word ${n} ` });
export const finished: TerminalEvent = { type: 'RunFinished', usage: noUsage };
export const numbers = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);

/** What a follower sees until the end: seqs, and gaps as `…n`. */
export async function collect(
  log: RedisEventLog,
  key: RunKey,
  after = 0,
  signal = AbortSignal.timeout(40_000),
): Promise<(number | string)[]> {
  const seen: (number | string)[] = [];
  for await (const item of log.follow(key, after, signal))
    seen.push('gapUntil' in item ? `…${item.gapUntil}` : item.seq);
  return seen;
}
