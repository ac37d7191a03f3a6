import { GatewayError, type TimeoutPhase } from '../../contracts/gateway-error.ts';
import type { ChatChunk } from '../../contracts/model-provider.ts';
import { cancelled } from './call-bounds.ts';

/** What a stream's silence may last. The total deadline is the call's (CallBounds), since it spans all attempts. */
export interface SilenceLimits {
  readonly firstTokenMs: number;
  readonly idleMs: number;
}

/**
 * One provider stream, held to its contract: the first chunk within `firstTokenMs` of the first `next()`, every later one
 * within `idleMs` of being asked for, and a `finish` before its end. Only the provider's silence counts, never a slow
 * reader. Any failure, the call's abort, and `close()` abort the provider's signal with the reason, and a pending `next()`
 * rejects with it at once, even if the provider ignores its signal.
 *
 * An object and not a generator: a generator that is blocked in `await` cannot be ended from outside.
 */
export class TimedStream {
  readonly #open: (signal: AbortSignal) => AsyncIterable<ChatChunk>;
  readonly #call: AbortSignal;
  readonly #limits: SilenceLimits;
  readonly #label: string;
  readonly #controller = new AbortController();
  #chunks: AsyncIterator<ChatChunk> | null = null;
  #phase: TimeoutPhase = 'FIRST_TOKEN';
  #finished = false;
  #ended = false;
  /** One timer per stream. A token only moves `#askedAt`; the timer looks at it when it fires, and sleeps on. */
  #timer: NodeJS.Timeout | null = null;
  #askedAt: number | null = null;
  #reject: ((reason: unknown) => void) | null = null;

  constructor(
    open: (signal: AbortSignal) => AsyncIterable<ChatChunk>,
    call: AbortSignal,
    limits: SilenceLimits,
    label: string,
  ) {
    this.#open = open;
    this.#call = call;
    this.#limits = limits;
    this.#label = label;
    call.addEventListener('abort', this.#onAbort, { once: true });
  }

  next(): Promise<IteratorResult<ChatChunk, undefined>> {
    return new Promise((resolve, reject) => {
      if (this.#call.aborted) this.#end(this.#call.reason);
      if (this.#ended) {
        const { signal } = this.#controller;
        return signal.aborted ? reject(signal.reason) : resolve({ done: true, value: undefined });
      }
      this.#chunks ??= this.#open(this.#controller.signal)[Symbol.asyncIterator]();
      this.#reject = reject;
      this.#askedAt = performance.now();
      this.#timer ??= setTimeout(this.#onTimer, this.#limitMs);
      this.#chunks.next().then(
        (result) => {
          this.#askedAt = null;
          if (this.#ended) return;
          if (result.done !== true) {
            if (this.#phase === 'FIRST_TOKEN') this.#toIdle();
            if (result.value.type === 'finish') this.#finished = true;
            resolve(result);
          } else if (this.#finished) {
            this.#release();
            resolve({ done: true, value: undefined });
          } else {
            this.#release();
            reject(cutShort(this.#label));
          }
        },
        (error: unknown) => {
          this.#release();
          reject(error);
        },
      );
    });
  }

  /** Ends the provider call if it has not ended by itself. Idempotent. */
  close(): void {
    // Most have ended by themselves, and an error is dear.
    if (!this.#ended) this.#end(cancelled(this.#label, 'the reader left'));
  }

  get #limitMs(): number {
    return this.#phase === 'FIRST_TOKEN' ? this.#limits.firstTokenMs : this.#limits.idleMs;
  }

  #toIdle(): void {
    this.#phase = 'IDLE';
    // The first-token timer may be the longer one: start again with the idle limit.
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  readonly #onAbort = (): void => this.#end(this.#call.reason);

  readonly #onTimer = (): void => {
    this.#timer = null;
    // Nobody asks: the reader is slow, and the next `next()` arms the timer again.
    if (this.#askedAt === null) return;
    const leftMs = this.#limitMs - (performance.now() - this.#askedAt);
    if (leftMs > 1) this.#timer = setTimeout(this.#onTimer, leftMs);
    else this.#end(silent(this.#label, this.#phase, this.#limitMs));
  };

  #end(reason: unknown): void {
    if (this.#ended) return;
    this.#release();
    this.#controller.abort(reason);
    this.#reject?.(reason);
    // Not awaited: a generator blocked in `await` would hold us until the provider speaks again.
    this.#chunks?.return?.().catch(() => undefined);
  }

  #release(): void {
    this.#ended = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#call.removeEventListener('abort', this.#onAbort);
  }
}

function silent(label: string, phase: TimeoutPhase, limitMs: number): GatewayError {
  const what =
    phase === 'FIRST_TOKEN' ? `sent nothing within ${limitMs} ms` : `fell silent for ${limitMs} ms mid-stream`;
  return new GatewayError('UPSTREAM_TIMEOUT', `${label} ${what}`, { retryable: true, details: { phase } });
}

function cutShort(label: string): GatewayError {
  return new GatewayError('UPSTREAM_UNAVAILABLE', `${label} ended its stream without a finish`, { retryable: true });
}
