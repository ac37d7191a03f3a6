import type { DocumentRecord, PassageRecord } from './document-store.ts';

export type SearchMode = 'HYBRID' | 'VECTOR' | 'KEYWORD';

/** A metadata filter, validated: depth bounded, exactly one operator per node, scalars only. */
export type Filter =
  | { readonly op: 'all' | 'any'; readonly filters: readonly Filter[] }
  | { readonly op: 'not'; readonly filter: Filter }
  | { readonly op: 'equals'; readonly path: string; readonly value: Json }
  | { readonly op: 'in'; readonly path: string; readonly values: readonly Json[] }
  /** Numbers compare with numbers, strings with strings (code points); any other pair is no match. */
  | { readonly op: 'greaterThan' | 'lessThan'; readonly path: string; readonly value: string | number }
  | { readonly op: 'exists'; readonly path: string; readonly exists: boolean };
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

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
  /** HTML-escaped fragments with <mark> around the query's words. */
  readonly highlights: readonly string[];
}

export interface SearchIndex {
  /**
   * All queries in one SQL statement, results in their order. Ranking: the two-stage fusion (docs/search.md):
   * C = top candidates by lex ∪ top candidates by vec; score = ½·minmax_C(lex) + ½·minmax_C(vec).
   */
  search(
    tenant: string,
    queries: readonly IndexQuery[],
    signal?: AbortSignal,
  ): Promise<readonly (readonly IndexHit[])[]>;
  /** The documents of the same collection whose best passages are nearest to each document's; itself left out. One statement. */
  similar(
    tenant: string,
    documentIds: readonly string[],
    first: number,
    signal?: AbortSignal,
  ): Promise<readonly (readonly IndexHit[])[]>;
}
