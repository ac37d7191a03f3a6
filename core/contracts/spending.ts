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
  /** Counted by our tokenizer. Read only where there is a limit, so that it can be counted only then. */
  readonly inputTokens: number;
  /** What the input can be at most where it cannot be counted, as of attachments; null: `inputTokens` is all. */
  readonly inputBound: number | null;
  /** How many output tokens each choice has at most, as the request asked for; null: it said nothing. 0 for embeddings. */
  readonly maxOutputTokens: number | null;
  /** The model's own bound; null: it is not known. */
  readonly modelMaxOutputTokens: number | null;
  /** How many replies the request asks for at once: 1, unless its provider options say otherwise. */
  readonly choices: number;
}

/** The worst case of one call, set aside. Settled once, whatever becomes of the call; what was not used is given back. */
export interface Reservation {
  /** What the request must ask for at most, since it was counted on; null: as it stands. */
  readonly maxOutputTokens: number | null;
  /** What it really used; null: the provider was not called, or used nothing. Never throws, never waits; again, it changes nothing. */
  settle(usage: Pick<Usage, 'inputTokens' | 'cachedInputTokens' | 'outputTokens'> | null): void;
}

/** The gate in front of every single provider call: retries, fallbacks and hedges pass it one by one. Deny before spend. */
export interface Spending {
  /**
   * Sets the worst case aside, atomically over all instances. Rejects with BUDGET_EXCEEDED when a budget of the key or its tenant
   * would not bear it (what, and when it renews), with BAD_INPUT when there is a budget and no price, and with RATE_LIMITED when
   * their tokens of this minute are used up. Null: nobody who pays has a limit, and there is nothing to settle.
   */
  reserve(call: PlannedCall, signal: AbortSignal): Reservation | null | Promise<Reservation | null>;
}
