import type { DocumentRecord, PassageRecord } from './document-store.ts';
import type { Filter } from './filter.ts';

export type SearchMode = 'HYBRID' | 'VECTOR' | 'KEYWORD';

export interface IndexQuery {
  readonly collectionId: string;
  readonly text: string;
  /** Null in KEYWORD mode, or when the query could not be embedded. */
  readonly vector: Float32Array | null;
  readonly mode: SearchMode;
  readonly filter: Filter | null;
  /** At most so many passages of one document; null: all. */
  readonly perDocument: number | null;
  readonly offset: number;
  readonly limit: number;
}

export interface IndexHit {
  readonly passage: PassageRecord;
  readonly document: DocumentRecord;
  /** 0..1, comparable within one result. */
  readonly score: number;
  /** Cosine similarity; null when the passage has no vector yet, or there was no query vector. */
  readonly vectorScore: number | null;
  /** idf-weighted ts_rank; null in VECTOR mode. */
  readonly keywordScore: number | null;
}

export interface SearchIndex {
  /**
   * All queries in one SQL statement, results in their order, each as soon as its rows have come (the last, and those without hits, at the
   * statement's end): what is done with one can go on beside the ranking of the next. Ranking: the two-stage fusion (docs/search.md):
   * C = top candidates by lex ∪ top candidates by vec; score = ½·minmax_C(lex) + ½·minmax_C(vec).
   */
  search(tenant: string, queries: readonly IndexQuery[], signal?: AbortSignal): readonly Promise<readonly IndexHit[]>[];
  /** The documents of the same collection whose best passages are nearest to each document's; itself left out. One statement. */
  similar(
    tenant: string,
    documentIds: readonly string[],
    first: number,
    signal?: AbortSignal,
  ): Promise<readonly (readonly IndexHit[])[]>;
}
