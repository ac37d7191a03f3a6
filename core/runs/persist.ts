import { ExponentialBackoff, fullJitterGenerator, type IBackoff } from 'cockatiel';
import type { Clock } from '../contracts/clock.ts';
import { GatewayError } from '../contracts/gateway-error.ts';

/** Then whoever takes the run over writes what is to be written. */
const giveUpAfterMs = 60_000;
const backoff = { generator: fullJitterGenerator, initialDelay: 100, maxDelay: 2_000 };

/** Makes a write, and makes it again while the store cannot be reached: a database that restarts fails no run. */
export async function persist<T>(write: () => Promise<T>, clock: Clock, signal?: AbortSignal): Promise<T> {
  const until = clock.now() + giveUpAfterMs;
  let next: IBackoff<unknown> | null = null;
  for (;;) {
    try {
      return await write();
    } catch (error) {
      next = next === null ? new ExponentialBackoff(backoff).next() : next.next(undefined);
      const isWorthIt = error instanceof GatewayError && error.retryable && clock.now() + next.duration < until;
      if (!isWorthIt || signal?.aborted) throw error;
      await clock.sleep(next.duration, signal);
    }
  }
}
