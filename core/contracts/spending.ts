import type { Usage } from './usage.ts';

/** One provider call before it is made, with all that its worst case is computed from. */
export interface PlannedCall {
  readonly tenant: string;
  /** The id of the API key that pays; null: the gateway runs open, or by its static key. */
  readonly payer: string | null;
  readonly model: string;
  /** US dollars per million tokens; null: unknown. */
  readonly price: {
    readonly inputUsdPerMillion: number;
    readonly cachedInputUsdPerMillion: number;
    readonly outputUsdPerMillion: number;
  } | null;
  /** Counted by our tokenizer. */
  readonly inputTokens: number;
  /** The bound of the output: what the request asked for, else the model's own. 0 for embeddings. */
  readonly maxOutputTokens: number;
}

/** The worst case of one call, set aside. Settled exactly once, whatever becomes of the call; what was not used is given back. */
export interface Reservation {
  /** What it really cost; null: the provider was not called, or used nothing. Never throws. */
  settle(usage: Usage | null): void;
}

/** The gate in front of every single provider call: retries, fallbacks and hedges pass it one by one. Deny before spend. */
export interface Spending {
  /**
   * Sets the worst case aside, atomically over all instances. Rejects with BUDGET_EXCEEDED when a budget of the key or its tenant
   * would not bear it (what, and when it renews), and with BAD_INPUT when there is a budget and no price.
   */
  reserve(call: PlannedCall, signal: AbortSignal): Promise<Reservation>;
}
