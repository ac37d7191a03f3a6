import { GatewayError } from '../../contracts/gateway-error.ts';
import type { ChatChunk, HearRates, ModelProvider } from '../../contracts/model-provider.ts';
import type { CallSite, PoolObserver } from '../../contracts/pool-observer.ts';
import type { Reservation, Spending } from '../../contracts/spending.ts';
import type { Usage } from '../../contracts/usage.ts';
import { untilAborted } from '../calls/abortable.ts';
import { type SilenceLimits, TimedStream } from '../calls/deadlines.ts';
import type { Job } from '../calls/job.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import { usualContextWindow, usualOutputTokens } from '../catalogue/usual-sizes.ts';
import type { TargetKey } from '../limits/keys.ts';
import { type GateLimits, type Pass, TargetGate } from '../limits/target-gate.ts';
import type { ModelHealth } from '../models.ts';
import type { Used } from '../usage/token-estimate.ts';
import { usageOf } from '../usage/usage-meter.ts';
import { isCancelled, isEndedByUs, isFailure, outcomeOf } from './call-outcome.ts';
import { CallSpan, recordWait } from './call-span.ts';
import { Circuit, type CircuitOptions } from './circuit.ts';
import { HealthWindow } from './health-window.ts';
import type { Answer, OpenStream, OutputBound, Try } from './provider-call.ts';
import { RetryBudget, type RetryBudgetOptions } from './retry-budget.ts';
import { Speed } from './speed.ts';

export interface TargetOptions {
  readonly limits: GateLimits;
  readonly silence: SilenceLimits;
  readonly circuit: CircuitOptions;
  readonly retryBudget: RetryBudgetOptions;
  readonly spending: Spending | undefined;
  readonly observer: PoolObserver | undefined;
  /** Told the outcome of every provider call; null: it answered. */
  readonly onOutcome: (error: unknown) => void;
}

/** Without a Retry-After, and with other keys to go to. */
const limitedKeyRestMs = 1_000;
/** A key that was refused may have been mended since. */
const refusedKeyRestMs = 60_000;

/**
 * One model of one provider, and all that stands around it: circuit, queue, limits, keys, reservation, deadlines, and the record of its
 * last minute. A place is held by a call, and by a stream until its end; never during a backoff.
 */
export class Target {
  readonly label: string;
  readonly entry: CatalogueEntry;
  readonly retries: RetryBudget;
  readonly speed = new Speed();
  readonly #options: TargetOptions;
  readonly #keys: readonly TargetKey[];
  readonly #gate: TargetGate;
  readonly #circuit: Circuit;
  readonly #window = new HealthWindow();

  constructor(entry: CatalogueEntry, keys: readonly TargetKey[], options: TargetOptions) {
    this.entry = entry;
    this.label = labelOf(entry);
    this.#options = options;
    this.#keys = keys;
    this.#gate = new TargetGate(this.label, options.limits, keys);
    this.#circuit = new Circuit(this.label, options.circuit, (state) =>
      options.observer?.circuit({ provider: entry.provider.name, model: entry.name }, state),
    );
    this.retries = new RetryBudget(options.retryBudget);
  }

  /** Milliseconds until a key of it can be used, as far as is known. */
  get readyInMs(): number {
    return this.#gate.readyInMs;
  }

  get keyCount(): number {
    return this.#keys.length;
  }

  site({ route, kind }: Job): CallSite {
    return { route, provider: this.entry.provider.name, model: this.entry.name, kind };
  }

  /** A call that answers as a whole. `latency`: its duration tells how fast the model is, not how long the reply. */
  run<T>(
    job: Job,
    how: Try,
    work: (provider: ModelProvider, signal: AbortSignal, hear: HearRates, bound: OutputBound) => Promise<T>,
    latency: boolean,
  ): Promise<Answer<T>> {
    return this.#attempt(job, how, latency ? 'latency' : 'whole', (key, bound) =>
      untilAborted(
        work(key.key.provider, how.signal, (rates) => key.hear(rates), bound),
        how.signal,
      ),
    );
  }

  open(
    job: Job,
    how: Try,
    begin: (
      provider: ModelProvider,
      signal: AbortSignal,
      hear: HearRates,
      bound: OutputBound,
    ) => AsyncIterable<ChatChunk>,
  ): Promise<Answer<OpenStream>> {
    return this.#attempt(job, how, 'stream', (key, bound) => {
      const hear: HearRates = (rates) => key.hear(rates);
      const stream = new TimedStream(
        (signal) => begin(key.key.provider, signal, hear, bound),
        how.signal,
        this.#options.silence,
        this.label,
      );
      return stream.next().then((first) => {
        // Cannot be: TimedStream rejects an end without a finish. The check is for the type.
        if (first.done === true) throw new GatewayError('INTERNAL', `${this.label} ended before its first chunk`);
        return { first: first.value, next: () => stream.next(), close: () => stream.close() };
      });
    });
  }

  health(): ModelHealth {
    return {
      circuit: this.#circuit.state,
      inFlight: this.#gate.active,
      queued: this.#gate.queued,
      ...this.#window.summary(),
    };
  }

  /** p of the last minute's times to the first token; null: there were none. */
  firstTokenPercentile(share: number): number | null {
    return this.#window.percentile(share);
  }

  /** One provider call, from its turn to its record: the only place where a provider is called. */
  async #attempt<T>(
    job: Job,
    how: Try,
    kind: 'whole' | 'latency' | 'stream',
    call: (key: TargetKey, bound: OutputBound) => Promise<T>,
  ): Promise<Answer<T>> {
    const { observer } = this.#options;
    this.#circuit.admit();
    const pass = await this.#turn(job, how);
    let reservation: Reservation | null = null;
    const begunAt = performance.now();
    let isCalled = false;
    let span: CallSpan | null = null;
    try {
      const reserving = this.#reserve(job, how.signal);
      reservation = reserving instanceof Promise ? await reserving : reserving;
      how.signal.throwIfAborted();
      const bound = reservation?.maxOutputTokens ?? null;
      const value = await this.#circuit.run(() => {
        isCalled = true;
        job.attempts += 1;
        if (how.number === 1) this.retries.countCall();
        const begun = new CallSpan(this.site(job), how.number);
        span = begun;
        return begun.run(() => call(pass.key, bound === null ? {} : { maxOutputTokens: bound }));
      });
      const firstMs = performance.now() - begunAt;
      this.#window.countSuccess(kind === 'whole' ? null : firstMs);
      if (kind === 'stream') this.speed.observe(firstMs);
      this.#options.onOutcome(null);
      const end = this.#end(job, how, pass, reservation, begunAt, kind === 'stream' ? firstMs : null, span);
      return { value, end };
    } catch (error) {
      const usage = this.#settle(
        job,
        reservation,
        isCalled && kind !== 'latency' && isEndedByUs(error) ? onlyRead(job) : null,
      );
      if (isCalled) {
        const outcome = outcomeOf(error, begunAt, null, null, how.number);
        observer?.ended(this.site(job), outcome);
        (span as CallSpan | null)?.end(outcome, usage);
      }
      // After it was told, so that a rest never seems shorter than it is; before others are let in, whom it concerns.
      if (isCalled) this.#learn(error, pass.key, begunAt);
      else pass.key.correct(-1, -pass.tokens);
      pass.release();
      throw error;
    }
  }

  async #turn(job: Job, how: Try): Promise<Pass> {
    const begunAt = performance.now();
    const pass = await this.#gate.enter({
      tenant: job.tenant,
      tokens: () => job.inputTokens + (job.kind === 'embedding' ? 0 : (job.maxOutputTokens ?? usualOutputTokens)),
      signal: how.signal,
      get remainingMs() {
        return job.bounds.remainingMs;
      },
      patient: how.patient,
    });
    const waitMs = performance.now() - begunAt;
    recordWait(this.site(job), waitMs);
    this.#options.observer?.queued(this.site(job), waitMs);
    return pass;
  }

  #reserve(job: Job, signal: AbortSignal): ReturnType<Spending['reserve']> {
    const { spending } = this.#options;
    if (spending === undefined) return null;
    const { entry } = this;
    const planned = {
      tenant: job.tenant,
      payer: job.payer,
      model: entry.name,
      price: entry.price,
      // Most callers have no budget: then nobody counts.
      get inputTokens() {
        return job.inputTokens;
      },
      inputBound: job.isInputUncounted ? (entry.contextWindow ?? usualContextWindow) : null,
      maxOutputTokens: job.kind === 'embedding' ? 0 : job.maxOutputTokens,
      modelMaxOutputTokens: entry.maxOutputTokens,
      choices: job.choices,
    };
    return spending.reserve(planned, signal);
  }

  #end(
    job: Job,
    how: Try,
    pass: Pass,
    reservation: Reservation | null,
    begunAt: number,
    firstMs: number | null,
    span: CallSpan | null,
  ): Answer<unknown>['end'] {
    const { observer } = this.#options;
    return (used, error) => {
      pass.release();
      if (isFailure(error)) {
        this.#window.countBreak();
        this.#circuit.countFailure(error);
        this.#options.onOutcome(error);
      }
      const usage = this.#settle(job, reservation, used);
      const site = this.site(job);
      const outputTokens = usage?.outputTokens ?? null;
      const outcome = outcomeOf(error, begunAt, firstMs, outputTokens, how.number);
      observer?.ended(site, outcome);
      span?.end(outcome, usage);
      if (usage !== null) pass.key.correct(0, usage.inputTokens + usage.outputTokens - pass.tokens);
    };
  }

  #settle(job: Job, reservation: Reservation | null, used: Used | null): Usage | null {
    const usage = used === null ? null : usageOf(used.tokens, this.entry.price, used.estimated);
    reservation?.settle(usage);
    if (usage === null) return null;
    job.spent(this.entry, usage);
    this.#options.observer?.spent(this.site(job), usage);
    return usage;
  }

  /** What a failed call says of the target and of the key that it was made by. */
  #learn(error: unknown, key: TargetKey, begunAt: number): void {
    if (isFailure(error)) {
      this.#window.countFailure();
      this.#options.onOutcome(error);
    } else if (!isCancelled(error)) {
      // The provider did its part: it was the input that was wrong.
      this.#window.countSuccess(null);
      this.#options.onOutcome(null);
    }
    if (!(error instanceof GatewayError)) return;
    const { code, details, upstreamFault } = error;
    if (code === 'UPSTREAM_TIMEOUT' && details.phase === 'FIRST_TOKEN') this.speed.observe(performance.now() - begunAt);
    const isLimited = code === 'RATE_LIMITED';
    if (isLimited || code === 'UPSTREAM_UNAVAILABLE') {
      // Nobody calls before the time that the provider named, whoever heard it.
      key.rest(details.retryAfterMs ?? (isLimited && this.#keys.length > 1 ? limitedKeyRestMs : 0));
    }
    if (upstreamFault === 'KEY' && this.#keys.some((other) => other !== key && other.key.isAccepted)) {
      key.key.refuse(refusedKeyRestMs);
    }
  }
}

/** How messages name a target. */
export function labelOf({ name, provider }: CatalogueEntry): string {
  return `${name} (${provider.name})`;
}

function onlyRead({ inputTokens }: Job): Used {
  return { tokens: { inputTokens, cachedInputTokens: 0, outputTokens: 0 }, estimated: true };
}
