import { BrokenCircuitError, CircuitState, CountBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import { GatewayError } from '../../contracts/gateway-error.ts';
import { Refusal } from '../calls/refusal.ts';
import type { ModelHealth } from '../models.ts';

export interface CircuitOptions {
  /** Opens when more than `failureRate` of the last `calls` failed, of which at least `minimumCalls` must have been made. */
  readonly calls: number;
  readonly failureRate: number;
  readonly minimumCalls: number;
  /** After so long one trial call is let through; it closes the circuit, or opens it again for as long. */
  readonly openMs: number;
}

/**
 * Stops calling a target that is down, so that callers hear it at once instead of after three attempts.
 *
 * Only outages count: UPSTREAM_UNAVAILABLE and the first-token and idle timeouts, where they are retryable. Not RATE_LIMITED
 * (the provider is alive and says when to come back; an open circuit would hide that), not what the input caused, and not a
 * TOTAL timeout, which is as often the caller's own haste.
 */
export class Circuit {
  readonly #label: string;
  readonly #openMs: number;
  readonly #policy;
  #openUntil = 0;

  constructor(label: string, options: CircuitOptions, onChange: (state: ModelHealth['circuit']) => void = () => {}) {
    this.#label = label;
    this.#openMs = options.openMs;
    this.#policy = circuitBreaker(
      handleWhen((error) => isOutage(error) || (this.#isTrial && isCancellation(error))),
      {
        breaker: new CountBreaker({
          size: options.calls,
          threshold: options.failureRate,
          minimumNumberOfCalls: options.minimumCalls,
        }),
        halfOpenAfter: options.openMs,
      },
    );
    this.#policy.onBreak(() => {
      this.#openUntil = Date.now() + this.#openMs;
      onChange('OPEN');
    });
    this.#policy.onHalfOpen(() => onChange('HALF_OPEN'));
    this.#policy.onReset(() => onChange('CLOSED'));
  }

  get state(): ModelHealth['circuit'] {
    if (this.#policy.state === CircuitState.Closed) return 'CLOSED';
    return this.#isTrial || Date.now() >= this.#openUntil ? 'HALF_OPEN' : 'OPEN';
  }

  /** Throws at once while the circuit is open; asked before the wait for a slot, which would be in vain. */
  admit(): void {
    // Cockatiel lets callers wait for the trial's end, which no signal could shorten.
    if (this.#isTrial || this.state === 'OPEN') throw this.#refusal();
  }

  /** Rejects with a refusal, without a call, while the circuit is open. */
  run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#policy.state !== CircuitState.Closed) return this.#trial(call);
    // Cockatiel hears of the outcome afterwards: around the call it would hold three waiting functions for each.
    return call().then(
      async (value) => {
        await this.#count(() => Promise.resolve());
        return value;
      },
      async (error: unknown) => {
        await this.#count(() => Promise.reject(error));
        throw error;
      },
    );
  }

  async #trial<T>(call: () => Promise<T>): Promise<T> {
    try {
      this.admit();
      return await this.#policy.execute(call);
    } catch (error) {
      throw error instanceof BrokenCircuitError ? this.#refusal() : error;
    }
  }

  /** A stream that broke after `run` had let it pass. */
  countFailure(error: unknown): void {
    void this.#count(() => Promise.reject(error));
  }

  /** Of a call that began while the circuit was closed: what has opened it meanwhile has said all there is to say. */
  async #count(outcome: () => Promise<unknown>): Promise<void> {
    if (this.#policy.state !== CircuitState.Closed) return;
    await this.#policy.execute(outcome).catch(() => undefined);
  }

  get #isTrial(): boolean {
    return this.#policy.state === CircuitState.HalfOpen;
  }

  #refusal(): Refusal {
    const retryAfterMs = Math.max(this.#openUntil - Date.now(), 0);
    const until = this.#isTrial ? 'its trial call ends' : new Date(this.#openUntil).toISOString();
    return new Refusal('UPSTREAM_UNAVAILABLE', `${this.#label} keeps failing and is not called until ${until}`, {
      retryAfterMs: Math.max(retryAfterMs, 100),
    });
  }
}

export function isOutage(error: unknown): boolean {
  if (!(error instanceof GatewayError) || !error.retryable) return false;
  return (
    error.code === 'UPSTREAM_UNAVAILABLE' || (error.code === 'UPSTREAM_TIMEOUT' && error.details.phase !== 'TOTAL')
  );
}

/** A trial that was cut off has shown nothing; cockatiel would take it for a success. */
function isCancellation(error: unknown): boolean {
  return error instanceof GatewayError && (error.code === 'CANCELLED' || error.code === 'UPSTREAM_TIMEOUT');
}
