import { AsyncLocalStorage } from 'node:async_hooks';
import { GatewayError } from '../../contracts/gateway-error.ts';
import type { EmbeddingLimits, EmbedReply } from '../../contracts/model-provider.ts';
import type { Spending } from '../../contracts/spending.ts';
import { cancelled, type LiveCalls, poolClosed, timerMs, tookTooLong } from '../calls/call-bounds.ts';
import { Refusal } from '../calls/refusal.ts';
import type { CallOptions, EmbeddedText } from '../models.ts';
import type { BatcherOptions } from '../models-options.ts';
import type { Price } from '../usage/usage-meter.ts';
import { billEmbeddings, embeddingCall, partsOfRefused } from './embedding-call.ts';
import { CallGate } from './embedding-gate.ts';
import {
  type Caller,
  type EmbeddingCall,
  type EmbeddingJob,
  type EmbeddingPart,
  embeddingKey,
  payerOf,
  sumOfTokens,
  type Waiter,
} from './embedding-job.ts';
import { EmbeddingQueue } from './embedding-queue.ts';
import { type RefusedShare, reserveShares } from './embedding-spending.ts';
import type { ModelVectors } from './model-vectors.ts';

export interface BatcherParts {
  readonly model: string;
  readonly label: string;
  readonly limits: EmbeddingLimits;
  readonly price: Price | null;
  readonly spending: Spending | undefined;
  readonly totalMs: number;
  readonly vectors: ModelVectors;
  readonly calls: LiveCalls;
  /** One provider call, with its queue and retries. */
  embed(call: EmbeddingCall): Promise<EmbedReply>;
}

/**
 * All embeddings of one model in this process. Texts that are asked for at about the same time share a call, whoever asks; a
 * text that is known, waits already, or is under way already is not sent again. How long texts gather is CallGate's matter,
 * whose turn it is EmbeddingQueue's, and who pays embedding-call's.
 *
 * A waiter leaves when its own signal or deadline says so; a call is aborted once all of its waiters have left. A failed call
 * fails its own waiters only; if it was refused for its input and held several texts, they are sent again in parts, so that
 * nobody suffers from a neighbour's bad text.
 */
export class EmbeddingBatcher {
  readonly #parts: BatcherParts;
  readonly #options: BatcherOptions;
  readonly #queue = new EmbeddingQueue();
  readonly #gate: CallGate;
  /** What a further waiter can join: texts that wait or are under way. */
  readonly #jobs = new Map<string, EmbeddingJob>();
  readonly #callers = new Map<AbortSignal, Caller>();
  /** Parts of refused calls; they go before the queue. */
  readonly #separate: EmbeddingPart[] = [];
  #dimensions: number | null = null;

  constructor(parts: BatcherParts, options: BatcherOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#gate = new CallGate(options, () => this.#startCalls());
  }

  /** The length of the last vector that came; null before the first. */
  get dimensions(): number | null {
    return this.#dimensions;
  }

  async embed(text: string, options: CallOptions): Promise<EmbeddedText> {
    const { model, vectors } = this.#parts;
    if (text === '') throw new GatewayError('BAD_INPUT', `a text to embed with ${model} must not be empty`);
    this.#assertWanted(options);
    const tenant = this.#options.shareBetweenTenants ? '' : options.tenant;
    const key = embeddingKey(tenant, text);
    const known = vectors.recall(key);
    if (known !== undefined) return known;
    const looking = this.#jobs.has(key) ? null : vectors.find(key);
    if (looking !== null) {
      const found = await looking;
      if (found !== null) return found;
      this.#assertWanted(options);
    }
    return this.#wait(this.#jobs.get(key) ?? this.#newJob(key, options.tenant, text), options);
  }

  /** Rejects all who wait; the calls under way are ended by LiveCalls. */
  close(): void {
    this.#gate.stop();
    for (const { waiters } of [...this.#callers.values()]) {
      for (const waiter of waiters) this.#leave(waiter, poolClosed());
    }
  }

  #assertWanted({ signal }: CallOptions): void {
    const { label, calls } = this.#parts;
    if (signal.aborted) throw cancelled(label, signal.reason);
    if (calls.closed) throw poolClosed();
  }

  #newJob(key: string, tenant: string, text: string): EmbeddingJob {
    const { maxWaitingTexts } = this.#options;
    if (this.#queue.sizeOf(tenant) >= maxWaitingTexts) {
      throw new Refusal(
        'RATE_LIMITED',
        `${this.#parts.label} lets ${maxWaitingTexts} texts of one tenant wait (maxWaitingTexts): all are taken`,
        { limit: maxWaitingTexts, retryAfterMs: 1000 },
      );
    }
    const job: EmbeddingJob = { key, tenant, text, tokens: null, waiters: new Set(), state: 'WAITING', call: null };
    this.#jobs.set(key, job);
    return job;
  }

  #wait(job: EmbeddingJob, { signal, meter, tenant, payer = null, timeoutMs }: CallOptions): Promise<EmbeddedText> {
    const { label, totalMs, limits } = this.#parts;
    const caller = this.#callers.get(signal) ?? this.#newCaller(signal);
    const limitMs = Math.min(timeoutMs ?? totalMs, totalMs);
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => this.#leave(waiter, tookTooLong(label, limitMs)), timerMs(limitMs));
      const bill = { meter, tenant, payer };
      const waiter: Waiter = { job, caller, bill, deadline, resolve, reject };
      const isFirst = job.waiters.size === 0;
      job.waiters.add(waiter);
      caller.waiters.add(waiter);
      if (job.state === 'CALLED') {
        if (isFirst && job.call !== null) job.call.wanted += 1;
        return;
      }
      if (isFirst) this.#queue.add(job, caller);
      else this.#queue.queueAlso(job, caller);
      this.#gate.arrived(caller, this.#queue.size >= limits.maxTexts);
    });
  }

  #newCaller(signal: AbortSignal): Caller {
    const caller: Caller = {
      signal,
      waiters: new Set(),
      callsInFlight: 0,
      inItsContext: AsyncLocalStorage.snapshot(),
      onAbort: () => {
        const reason = cancelled(this.#parts.label, signal.reason);
        for (const waiter of caller.waiters) this.#leave(waiter, reason);
      },
    };
    this.#callers.set(signal, caller);
    signal.addEventListener('abort', caller.onAbort, { once: true });
    return caller;
  }

  #leave(waiter: Waiter, reason: GatewayError): void {
    const { job } = waiter;
    this.#detach(waiter);
    waiter.reject(reason);
    if (job.waiters.size > 0) return;
    const { call } = job;
    if (call === null) {
      if (job.state === 'WAITING') this.#queue.drop(job);
      this.#forget(job);
    } else {
      call.wanted -= 1;
      if (call.wanted > 0) return;
      // Nobody may join a call that is being aborted.
      for (const called of call.jobs) this.#forget(called);
      call.bounds.abort(reason);
    }
  }

  #detach(waiter: Waiter): void {
    clearTimeout(waiter.deadline);
    waiter.job.waiters.delete(waiter);
    const { caller } = waiter;
    caller.waiters.delete(waiter);
    if (caller.waiters.size > 0) return;
    caller.signal.removeEventListener('abort', caller.onAbort);
    this.#callers.delete(caller.signal);
  }

  #forget(job: EmbeddingJob): void {
    if (this.#jobs.get(job.key) === job) this.#jobs.delete(job.key);
  }

  #startCalls(): void {
    while (this.#gate.hasSlot) {
      const part = this.#nextPart();
      if (part.jobs.length === 0) return;
      const { calls, label, totalMs } = this.#parts;
      const call = embeddingCall(part, calls.begin(label, null, totalMs));
      const [first] = call.callers;
      // Whoever made the slot free, or came last, has nothing to do with it: it belongs to one who asked.
      if (first === undefined) void this.#call(call);
      else void first.inItsContext(() => this.#call(call));
    }
  }

  #nextPart(): EmbeddingPart {
    for (let part = this.#separate.shift(); part !== undefined; part = this.#separate.shift()) {
      const jobs = part.jobs.filter(({ waiters }) => waiters.size > 0);
      if (jobs.length > 0) return { ...part, jobs };
    }
    return { jobs: this.#queue.take(this.#parts.limits, (caller) => this.#gate.mayCall(caller)), hunt: null };
  }

  async #call(call: EmbeddingCall): Promise<void> {
    this.#gate.began();
    for (const caller of call.callers) caller.callsInFlight += 1;
    try {
      using _bounds = call.bounds;
      for (const refused of await reserveShares(call, this.#parts)) this.#refuse(call, refused);
      if (call.jobs.length === 0) return;
      const replying = this.#parts.embed(call);
      // Its bill needs them: counted while the provider works.
      setImmediate(() => sumOfTokens(call.jobs));
      this.#answer(call, await replying);
    } catch (error) {
      this.#fail(call, error);
    } finally {
      for (const reservation of call.reservations.values()) reservation?.settle(null);
      for (const caller of call.callers) caller.callsInFlight -= 1;
      this.#gate.ended();
    }
  }

  #answer(call: EmbeddingCall, reply: EmbedReply): void {
    const { vectors, price } = this.#parts;
    if (call.hunt !== null) call.hunt.answered += 1;
    const embedded = billEmbeddings(call, reply, price);
    for (const [index, job] of call.jobs.entries()) {
      const answer = embedded[index];
      if (answer === undefined) continue;
      this.#dimensions = answer.vector.length;
      vectors.remember(job.key, answer);
      this.#forget(job);
      for (const waiter of job.waiters) {
        this.#detach(waiter);
        waiter.resolve(answer);
      }
    }
  }

  /** Who cannot pay leaves; a text that somebody else waits for too goes with a later call, on that one's bill. */
  #refuse(call: EmbeddingCall, { job, payer, error }: RefusedShare): void {
    if (job.waiters.size > 0) call.wanted -= 1;
    job.call = null;
    for (const waiter of [...job.waiters]) {
      if (payerOf(waiter.bill) !== payer) continue;
      this.#detach(waiter);
      waiter.reject(error);
    }
    if (job.waiters.size === 0) this.#forget(job);
    else this.#separate.push({ jobs: [job], hunt: null });
  }

  #fail(call: EmbeddingCall, error: unknown): void {
    const parts = isRefusedInput(error) ? partsOfRefused(call) : [];
    const again = new Set(parts.flatMap(({ jobs }) => jobs));
    this.#separate.push(...parts);
    for (const job of call.jobs) {
      job.call = null;
      if (again.has(job)) continue;
      this.#forget(job);
      for (const waiter of job.waiters) {
        this.#detach(waiter);
        waiter.reject(error);
      }
    }
  }
}

function isRefusedInput(error: unknown): boolean {
  return error instanceof GatewayError && (error.code === 'UPSTREAM_REJECTED' || error.code === 'BAD_INPUT');
}
