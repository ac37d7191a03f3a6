/** What provider calls cost. Tokens are the provider's own count unless `estimated`. */
export interface Usage {
  readonly inputTokens: number;
  /** The part of inputTokens that the provider served from its prompt cache. */
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly calls: number;
  /** US dollars; null as soon as one call's model has no known price, never 0 for "unknown". */
  readonly costUsd: number | null;
  /** True when at least one count came from our tokenizer because the provider sent none. */
  readonly estimated: boolean;
}
