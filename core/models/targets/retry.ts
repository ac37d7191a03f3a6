import { ExponentialBackoff, fullJitterGenerator } from 'cockatiel';
import { GatewayError } from '../../contracts/gateway-error.ts';
import { pause } from '../calls/abortable.ts';
import type { CallBounds } from '../calls/call-bounds.ts';
import { Refusal } from '../calls/refusal.ts';

export interface RetryOptions {
  /** Further attempts after the first. */
  readonly retries: number;
  /** The first backoff is random in 0..this, the next in 0..twice this, and so on up to `longestBackoffMs`. */
  readonly backoffMs: number;
  readonly longestBackoffMs: number;
  /** A provider that wants a longer pause than this is not waited for. */
  readonly longestRetryAfterMs: number;
}

/**
 * Makes attempts until one succeeds, fails for good, or there is no time left. Only a GatewayError marked retryable is tried
 * again, after a backoff with full jitter or, where the provider said so, after its Retry-After plus that jitter (all callers
 * heard the same number). A wait that does not fit the deadline is not begun: the error gets out at once. The error that gets out carries
 * `details.attempts`.
 *
 * The backoff is cockatiel's, the loop is not: its retry policy sleeps out a backoff whatever the signal says.
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  options: RetryOptions,
  call: Pick<CallBounds, 'signal' | 'remainingMs'>,
): Promise<T> {
  let backoff = new ExponentialBackoff({
    generator: fullJitterGenerator,
    initialDelay: options.backoffMs,
    maxDelay: options.longestBackoffMs,
  }).next();
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (call.signal.aborted) throw call.signal.reason;
      if (!(error instanceof GatewayError)) throw error;
      if (error instanceof Refusal) throw withAttempts(error, attempts - 1);
      const retryAfterMs = error.details.retryAfterMs ?? 0;
      const waitMs = retryAfterMs + backoff.duration;
      const inTime = retryAfterMs <= options.longestRetryAfterMs && waitMs < call.remainingMs;
      if (!error.retryable || attempts > options.retries || !inTime) throw withAttempts(error, attempts);
      await pause(waitMs, call.signal);
      backoff = backoff.next(undefined);
    }
  }
}

function withAttempts(error: GatewayError, attempts: number): GatewayError {
  const { code, message, retryable, details } = error;
  return new GatewayError(code, message, { retryable, details: { ...details, attempts }, cause: error });
}
