/** What a vector is the vector of. Tenants never share a key, so that no timing tells one what another has asked. */
export interface EmbeddingKey {
  readonly tenant: string;
  /** With its provider. */
  readonly model: string;
  /** The length that was asked for; 0: the model's own. */
  readonly dimensions: number;
  /** SHA-256 of the text, base64. */
  readonly hash: string;
}

export interface StoredEmbedding {
  readonly vector: Float32Array;
  /** Input tokens of the text. */
  readonly tokens: number;
}

/** Vectors that were paid for once, for all instances and over restarts. A cache: nothing is lost with it but money. */
export interface EmbeddingStore {
  /** One statement for all keys; in their order, null where there is none. */
  find(keys: readonly EmbeddingKey[], signal: AbortSignal): Promise<readonly (StoredEmbedding | null)[]>;
  /** One statement for all; what is there already stays. */
  save(entries: readonly (EmbeddingKey & StoredEmbedding)[]): Promise<void>;
  /** These were used now; noted to the day. */
  touch(keys: readonly EmbeddingKey[]): Promise<void>;
  /** Removes what was not used for so long, and what was not used the longest beyond `keep` vectors; some thousands at most. */
  purge(bounds: { readonly unusedForMs: number; readonly keep: number }): Promise<number>;
}
