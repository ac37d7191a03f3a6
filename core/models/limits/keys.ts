import type { ModelProvider, ReportedRates } from '../../contracts/model-provider.ts';
import type { RateLimiter, Units } from '../../contracts/rate-limiter.ts';

/** One key of a provider, for all of its models. */
export class ProviderKey {
  readonly provider: ModelProvider;
  /** Stable over restarts and instances, and no secret: what shared rates are kept under. */
  readonly label: string;
  #refusedUntil = 0;

  constructor(provider: ModelProvider, label: string) {
    this.provider = provider;
    this.label = label;
  }

  get isAccepted(): boolean {
    return this.refusedForMs <= 0;
  }

  get refusedForMs(): number {
    return this.#refusedUntil - performance.now();
  }

  /** The provider takes the key for nobody's, or for one without rights or credit: the others are used instead for so long. */
  refuse(ms: number): void {
    this.#refusedUntil = performance.now() + ms;
  }
}

/** Units a minute of one model by one key; null: unlimited, as far as is known. */
export interface Rates {
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
}

/** One key as one target uses it: providers count each model by itself. */
export class TargetKey {
  readonly key: ProviderKey;
  inFlight = 0;
  readonly #scope: string;
  readonly #rates: Rates;
  readonly #limiter: RateLimiter | null;
  /** The provider said so: `Retry-After`, or a limit that is used up. */
  #restsUntil = 0;
  /** The limiter said so; asked again only then. */
  #emptyUntil = 0;

  constructor(key: ProviderKey, model: string, rates: Rates, limiter: RateLimiter | null) {
    this.key = key;
    this.#scope = `${key.label} ${model}`;
    this.#rates = rates;
    this.#limiter = rates.requestsPerMinute === null && rates.tokensPerMinute === null ? null : limiter;
  }

  get countsTokens(): boolean {
    return this.#limiter !== null && this.#rates.tokensPerMinute !== null;
  }

  /** 0: as far as is known it can be used now. */
  get readyInMs(): number {
    const ownMs = Math.max(this.#restsUntil, this.#emptyUntil) - performance.now();
    return Math.max(0, ownMs, this.key.refusedForMs);
  }

  /** Whether its rates must be asked before a call. */
  get isLimited(): boolean {
    return this.#limiter !== null;
  }

  /** One request of so many tokens; false: not now, and `readyInMs` knows when. */
  async take(tokens: number): Promise<boolean> {
    const waitMs = (await this.#limiter?.take(this.#scope, this.#units(1, tokens))) ?? 0;
    this.#emptyUntil = performance.now() + waitMs;
    return waitMs === 0;
  }

  /** The call was not made after all, or used other tokens than were taken for it. */
  correct(requests: number, tokens: number): void {
    const units = this.#units(requests, tokens).filter((bucket) => bucket.units !== 0);
    if (units.length > 0) this.#limiter?.adjust(this.#scope, units);
  }

  rest(ms: number): void {
    this.#restsUntil = Math.max(this.#restsUntil, performance.now() + ms);
  }

  /** A limit that is used up is as good as a `Retry-After`: the next call would be refused. */
  hear({ requests, tokens }: ReportedRates): void {
    const left = this.#units(requests?.remaining ?? Infinity, tokens?.remaining ?? Infinity);
    const known = left.filter(({ units }) => units !== Infinity);
    if (known.length > 0) this.#limiter?.lower(this.#scope, known);
    for (const rate of [requests, tokens]) if (rate?.remaining === 0 && rate.resetMs !== null) this.rest(rate.resetMs);
  }

  #units(requests: number, tokens: number): Units[] {
    const { requestsPerMinute, tokensPerMinute } = this.#rates;
    return [
      ...(requestsPerMinute === null ? [] : [{ name: 'requests', perMinute: requestsPerMinute, units: requests }]),
      ...(tokensPerMinute === null ? [] : [{ name: 'tokens', perMinute: tokensPerMinute, units: tokens }]),
    ];
  }
}
