import type { Clock } from '../../core/contracts/clock.ts';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { RedisConnection } from './connection.ts';
import { isPassing, refused, unavailable } from './errors.ts';

export interface Perseverance {
  readonly connection: RedisConnection;
  readonly clock: Clock;
  /** Names the command in errors: `appending to run …`. */
  readonly what: string;
  /** Infinity: until the signal says otherwise. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

const firstPauseMs = 50;
const longestPauseMs = 1_000;

/**
 * Sends a command, and sends it again through an outage of Redis, for as long as there is patience. So it must be one that may
 * take effect twice, or that knows itself again: when a connection breaks, nobody knows whether it took effect.
 */
export async function persevere<T>(command: () => Promise<T>, perseverance: Perseverance): Promise<T> {
  const { connection, clock, what, patienceMs, signal } = perseverance;
  const until = clock.now() + patienceMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, 2 * pauseMs)) {
    try {
      return await answer(command(), perseverance, until);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof GatewayError) throw error;
      if (!isPassing(error)) throw refused(what, error);
      const leftMs = until - clock.now();
      if (leftMs <= 0) throw unavailable(what, patienceMs, error);
      if (connection.isReady) await clock.sleep(Math.min(pauseMs, leftMs), signal);
      else await connection.whenReady(Math.min(leftMs, 2 ** 31 - 1), signal);
    }
  }
}

/** A silent connection ends by itself; only less patience than that needs a time of its own. */
async function answer<T>(
  sent: Promise<T>,
  { connection, clock, patienceMs, signal }: Perseverance,
  until: number,
): Promise<T> {
  if (patienceMs >= connection.silenceMs) return await sent;
  const waiting = new AbortController();
  const late = clock.sleep(Math.max(0, until - clock.now()), AbortSignal.any([signal, waiting.signal])).then(() => {
    throw new Error('no answer in time');
  });
  for (const wait of [late, sent]) wait.catch(() => {});
  try {
    return await Promise.race([sent, late]);
  } finally {
    waiting.abort();
  }
}
