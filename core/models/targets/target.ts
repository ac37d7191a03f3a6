import { GatewayError } from '../../contracts/gateway-error.ts';
import type { ChatChunk } from '../../contracts/model-provider.ts';
import { untilAborted } from '../calls/abortable.ts';
import type { CallBounds } from '../calls/call-bounds.ts';
import { type SilenceLimits, TimedStream } from '../calls/deadlines.ts';
import { Refusal } from '../calls/refusal.ts';
import type { ModelHealth } from '../models.ts';
import { Circuit, type CircuitOptions } from './circuit.ts';
import { HealthWindow } from './health-window.ts';
import { type RetryOptions, withRetries } from './retry.ts';
import { type Release, Semaphore } from './semaphore.ts';

export interface TargetOptions {
  /** Provider calls of one model at once, and how many may wait for one to end. */
  readonly maxConcurrent: number;
  readonly maxQueued: number;
  readonly silence: SilenceLimits;
  readonly retry: RetryOptions;
  readonly circuit: CircuitOptions;
}

/** A stream whose first chunk has come: from here on no attempt is repeated. */
export interface OpenStream {
  readonly first: ChatChunk;
  next(): Promise<IteratorResult<ChatChunk, undefined>>;
  /** Frees the slot, and ends the provider call if it has not ended by itself. `error` is what `next` threw. */
  close(error?: unknown): void;
}

/**
 * One model of one provider, and all that stands around it: circuit, queue, attempts, deadlines, and the record of its last
 * minute. A slot is held by an attempt, and by a stream until its end; never during a backoff.
 */
export class Target {
  readonly label: string;
  readonly #options: TargetOptions;
  readonly #slots: Semaphore;
  readonly #circuit: Circuit;
  readonly #window = new HealthWindow();
  /** Told the outcome of every provider call; null: it answered. */
  readonly #onOutcome: (error: unknown) => void;

  constructor(label: string, options: TargetOptions, onOutcome: (error: unknown) => void) {
    this.label = label;
    this.#options = options;
    this.#slots = new Semaphore(options.maxConcurrent, options.maxQueued);
    this.#circuit = new Circuit(label, options.circuit);
    this.#onOutcome = onOutcome;
  }

  /** One call that answers as a whole. `latency`: its duration tells how fast the model is, not how long the reply. */
  async run<T>(call: CallBounds, work: (signal: AbortSignal) => Promise<T>, latency: boolean): Promise<T> {
    const { value, release } = await this.#attempts(call, () => untilAborted(work(call.signal), call.signal), latency);
    release();
    return value;
  }

  async open(call: CallBounds, begin: (signal: AbortSignal) => AsyncIterable<ChatChunk>): Promise<OpenStream> {
    const { value, release } = await this.#attempts(
      call,
      async () => {
        const stream = new TimedStream(begin, call.signal, this.#options.silence, this.label);
        const first = await stream.next();
        // Cannot be: TimedStream rejects an end without a finish. The check is for the type.
        if (first.done === true) throw new GatewayError('INTERNAL', `${this.label} ended before its first chunk`);
        return { stream, first: first.value };
      },
      true,
    );
    return {
      first: value.first,
      next: () => value.stream.next(),
      close: (error) => {
        value.stream.close();
        release();
        if (isFailure(error)) {
          this.#window.countBreak();
          this.#circuit.countFailure(error);
          this.#onOutcome(error);
        }
      },
    };
  }

  health(): ModelHealth {
    return {
      circuit: this.#circuit.state,
      inFlight: this.#slots.active,
      queued: this.#slots.queued,
      ...this.#window.summary(),
    };
  }

  #attempts<T>(
    call: CallBounds,
    attempt: () => Promise<T>,
    latency: boolean,
  ): Promise<{ readonly value: T; readonly release: Release }> {
    return withRetries(
      async () => {
        this.#circuit.admit();
        const release = await this.#slots.acquire(call.signal, this.#full);
        try {
          return { value: await this.#circuit.run(() => this.#recorded(attempt, latency)), release };
        } catch (error) {
          release();
          throw error;
        }
      },
      this.#options.retry,
      call,
    );
  }

  async #recorded<T>(attempt: () => Promise<T>, latency: boolean): Promise<T> {
    const begunAt = performance.now();
    try {
      const value = await attempt();
      this.#window.countSuccess(latency ? performance.now() - begunAt : null);
      this.#onOutcome(null);
      return value;
    } catch (error) {
      if (isFailure(error)) {
        this.#window.countFailure();
        this.#onOutcome(error);
      } else if (!isCancelled(error)) {
        // The provider did its part: it was the input that was wrong.
        this.#window.countSuccess(null);
        this.#onOutcome(null);
      }
      throw error;
    }
  }

  readonly #full = (): Refusal => {
    const { maxConcurrent, maxQueued } = this.#options;
    return new Refusal(
      'RATE_LIMITED',
      `${this.label} takes ${maxConcurrent} calls at once (maxConcurrent) and lets ${maxQueued} wait (maxQueued): all are taken`,
      { limit: maxQueued, retryAfterMs: 1000 },
    );
  };
}

/** What speaks against the provider: not the end of our patience or interest, and not a refused input. */
function isFailure(error: unknown): boolean {
  if (error === undefined) return false;
  return !(error instanceof GatewayError) || !['CANCELLED', 'BAD_INPUT', 'UPSTREAM_REJECTED'].includes(error.code);
}

function isCancelled(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'CANCELLED';
}
