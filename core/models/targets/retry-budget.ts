export interface RetryBudgetOptions {
  /** Retries per call, in the long run. */
  readonly share: number;
  /** That many retries a minute are allowed in any case. */
  readonly perMinute: number;
}

/** Retries that may be saved up, in minutes of the floor. */
const savedMinutes = 1;

/**
 * How often one target may be called again after failures, over all callers: when it is down, its load is `share` more than
 * usual and not several times as much. Each call adds to the budget, each retry takes 1 from it. (Finagle's RetryBudget.)
 */
export class RetryBudget {
  readonly #options: RetryBudgetOptions;
  #balance: number;
  #at = performance.now();

  constructor(options: RetryBudgetOptions) {
    this.#options = options;
    this.#balance = this.#most;
  }

  countCall(): void {
    this.#balance = Math.min(this.#most, this.#refilled() + this.#options.share);
  }

  /** Takes one retry; false: there is none. */
  spend(): boolean {
    this.#balance = this.#refilled();
    if (this.#balance < 1) return false;
    this.#balance -= 1;
    return true;
  }

  get #most(): number {
    return Math.max(1, this.#options.perMinute * savedMinutes);
  }

  #refilled(): number {
    const now = performance.now();
    const refill = ((now - this.#at) / 60_000) * this.#options.perMinute;
    this.#at = now;
    return Math.min(this.#most, this.#balance + refill);
  }
}
