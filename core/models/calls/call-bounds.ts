import { GatewayError } from '../../contracts/gateway-error.ts';

/** Node's timers hold 24.8 days; a longer delay would fire at once. */
export function timerMs(ms: number): number {
  return Math.min(ms, 2 ** 31 - 1);
}

/**
 * One call from its first wait to its last chunk, over all its attempts. `signal` is aborted by the caller (CANCELLED), by
 * the total deadline (UPSTREAM_TIMEOUT, phase TOTAL) or by the pool's own end, and its reason always is the GatewayError
 * that the caller shall see: whoever waits on it need only throw the reason.
 */
export class CallBounds implements Disposable {
  readonly label: string;
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | null;
  readonly #endsAt: number;
  readonly #timer: NodeJS.Timeout;
  readonly #leave: (call: CallBounds) => void;

  constructor(label: string, caller: AbortSignal | null, totalMs: number, leave: (call: CallBounds) => void) {
    this.label = label;
    this.#caller = caller;
    this.#leave = leave;
    this.#endsAt = performance.now() + totalMs;
    this.#timer = setTimeout(() => this.abort(tookTooLong(label, totalMs)), timerMs(totalMs));
    if (caller?.aborted) this.#onCallerAbort();
    else caller?.addEventListener('abort', this.#onCallerAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get remainingMs(): number {
    return Math.max(0, this.#endsAt - performance.now());
  }

  abort(reason: GatewayError): void {
    this.#controller.abort(reason);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener('abort', this.#onCallerAbort);
    this.#leave(this);
  }

  readonly #onCallerAbort = (): void => this.abort(cancelled(this.label, this.#caller?.reason));
}

/** Every call that is under way, so that closing the pool ends them all. */
export class LiveCalls {
  readonly #calls = new Set<CallBounds>();
  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  begin(label: string, caller: AbortSignal | null, totalMs: number): CallBounds {
    const call = new CallBounds(label, caller, totalMs, (ended) => this.#calls.delete(ended));
    this.#calls.add(call);
    if (this.#closed) call.abort(poolClosed());
    return call;
  }

  close(): void {
    this.#closed = true;
    for (const call of this.#calls) call.abort(poolClosed());
  }
}

export function cancelled(label: string, cause: unknown): GatewayError {
  return new GatewayError('CANCELLED', `the call of ${label} was cancelled by its caller`, { cause });
}

export function tookTooLong(label: string, totalMs: number): GatewayError {
  return new GatewayError(
    'UPSTREAM_TIMEOUT',
    `${label} did not finish within ${totalMs} ms, waiting for its turn included`,
    {
      retryable: true,
      details: { phase: 'TOTAL' },
    },
  );
}

export function poolClosed(): GatewayError {
  return new GatewayError('CANCELLED', 'the gateway is shutting down: no further model calls are made', {
    retryable: true,
  });
}
