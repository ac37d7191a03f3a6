import type { Filter } from './filter.ts';
import type { InteractionKind } from './profile-store.ts';

/** One profile in one collection. */
export interface TasteQuery {
  readonly profileId: string;
  readonly collectionId: string;
}

/** What a profile has done with one document. */
export interface Deed {
  readonly documentId: string;
  /** When it last did each; null: never. */
  readonly at: Readonly<Record<InteractionKind, Date | null>>;
  /** The direction of the mean of the document's passages, of length 1 to three digits; null while it has no vector. */
  readonly vector: Float32Array | null;
}

export interface Taste {
  readonly interests: readonly string[];
  /** Documents of the newest interactions, up to some fifty of each kind; in no order. */
  readonly deeds: readonly Deed[];
}

export interface CandidateQuery extends TasteQuery {
  /** Candidates are near to one of these, of the length of the collection's vectors. None: the popular and the new. */
  readonly vectors: readonly Float32Array[];
  readonly filter: Filter | null;
  readonly limit: number;
}

export interface Candidate {
  readonly documentId: string;
  /** The direction of the mean of the document's passages, of length 1 to three digits; null while it has no vector. */
  readonly vector: Float32Array | null;
  /** A level, see core/recommend/popularity.ts; null: nobody has done anything with it. */
  readonly popularity: number | null;
}

/** Every method is bound to one tenant; results are in the order of the queries. */
export interface RecommendationIndex {
  /** All in one statement. Null for a profile that there is not. */
  tastes(tenant: string, queries: readonly TasteQuery[], signal?: AbortSignal): Promise<readonly (Taste | null)[]>;
  /**
   * All in one statement. Nearest to each vector, most popular, and newest documents, mixed so that the best of each come first,
   * without those that the profile has liked, disliked or bought. Newer documents come before older ones where neither
   * nearness nor popularity tells. Of more than `limit` the best are returned.
   */
  candidates(
    tenant: string,
    queries: readonly CandidateQuery[],
    signal?: AbortSignal,
  ): Promise<readonly (readonly Candidate[])[]>;
}
