import { GatewayError } from '../../contracts/gateway-error.ts';
import type { CallOutcome } from '../../contracts/pool-observer.ts';

/** What an observer and a span are told of a call that has ended; `error` null: well. */
export function outcomeOf(
  error: unknown,
  begunAt: number,
  firstTokenMs: number | null,
  outputTokens: number | null,
  attempt: number,
): CallOutcome {
  const code = error === null ? null : error instanceof GatewayError ? error.code : 'INTERNAL';
  return { code, durationMs: performance.now() - begunAt, firstTokenMs, outputTokens, attempt };
}

/** What speaks against the provider: not the end of our patience or interest, and not a refused input. */
export function isFailure(error: unknown): boolean {
  if (error === null) return false;
  return !(error instanceof GatewayError) || !['CANCELLED', 'BAD_INPUT', 'UPSTREAM_REJECTED'].includes(error.code);
}

/** What was sent has been read by the provider, though we did not wait for what it would write; it is billed for that. */
export function isEndedByUs(error: unknown): boolean {
  return error instanceof GatewayError && (error.code === 'CANCELLED' || error.code === 'UPSTREAM_TIMEOUT');
}

export function isCancelled(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'CANCELLED';
}
