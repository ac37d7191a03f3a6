import type { ModelRequest } from '../models.ts';

/** What identical generations of one tenant may have in common, by the model or the route that they are asked of. */
export interface SharingPolicy {
  /** One provider call for all that are asked for at the same time, whatever their temperature. */
  readonly coalesce: boolean;
  /** A reply is given again to the same question for so long; null: it is asked again. */
  readonly cache: { readonly ttlMs: number } | null;
  /** … and to a question that means the same; null: to the very same only. */
  readonly semantic: SemanticPolicy | null;
}

export interface SemanticPolicy {
  /** Cosine similarity of two questions, 0..1, from which on they mean the same. */
  readonly threshold: number;
  readonly ttlMs: number;
  /** What compares them; null: the default embedding model. */
  readonly embeddingModel: string | null;
}

export const defaultSharing: SharingPolicy = { coalesce: false, cache: null, semantic: null };

/**
 * At temperature 0 the same question is meant to have one answer; above it, sharing one is a choice of the operator. Who lets replies be
 * given again later has made it.
 */
export function isShared({ temperature }: Pick<ModelRequest, 'temperature'>, policy: SharingPolicy): boolean {
  return temperature === 0 || policy.coalesce || policy.cache !== null || policy.semantic !== null;
}
