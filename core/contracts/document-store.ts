import type { Filter } from './filter.ts';
import type { Page, Slice } from './page.ts';

export interface DocumentRecord {
  readonly id: string;
  readonly collectionId: string;
  /** The app's own id, unique in its collection. */
  readonly externalId: string;
  readonly title: string | null;
  readonly url: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface PassageRecord {
  readonly id: string;
  readonly documentId: string;
  /** 0, 1, 2 … within its document. */
  readonly position: number;
  readonly text: string;
}

export interface DocumentWrite {
  readonly externalId: string;
  readonly title: string | null;
  readonly url: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Of everything above and the text; an equal hash means there is nothing to do. */
  readonly contentHash: string;
  /** `vector: null` is written without one: it ranks by its words until `writeVectors`. */
  readonly passages: readonly { readonly text: string; readonly vector: Float32Array | null }[];
}

export interface UnembeddedPassage {
  readonly tenant: string;
  readonly passageId: string;
  readonly collectionId: string;
  readonly embeddingModel: string;
  /** The document's title and the passage, as they are embedded. */
  readonly title: string | null;
  readonly text: string;
}

export type DocumentSelection = { readonly externalIds: readonly string[] } | { readonly filter: Filter };

/** Every method is bound to one tenant, `unembedded` alone excepted. */
export interface DocumentStore {
  byIds(tenant: string, ids: readonly string[], signal?: AbortSignal): Promise<readonly DocumentRecord[]>;
  /** Those of one collection that exist, in no order. */
  byExternalIds(
    tenant: string,
    collectionId: string,
    externalIds: readonly string[],
    signal?: AbortSignal,
  ): Promise<readonly DocumentRecord[]>;
  /** externalId → contentHash of those that exist. */
  contentHashes(
    tenant: string,
    collectionId: string,
    externalIds: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, string>>;
  /** One transaction: each document is inserted, or replaced with all its passages. The document's id stays. */
  write(tenant: string, collectionId: string, documents: readonly DocumentWrite[], signal?: AbortSignal): Promise<void>;
  /** One page of each collection, in one statement; newest `updatedAt` first. Order of `collectionIds`. */
  listIn(
    tenant: string,
    collectionIds: readonly string[],
    page: Page,
    filter: Filter | null,
    signal?: AbortSignal,
  ): Promise<readonly (Slice<DocumentRecord> & { readonly totalCount: number })[]>;
  /** Returns how many were deleted. */
  delete(tenant: string, collectionId: string, selection: DocumentSelection): Promise<number>;

  passagesByIds(tenant: string, ids: readonly string[], signal?: AbortSignal): Promise<readonly PassageRecord[]>;
  /** One page of each document, by position, in one statement. Order of `documentIds`. */
  passagesOf(
    tenant: string,
    documentIds: readonly string[],
    page: Page,
    signal?: AbortSignal,
  ): Promise<readonly (Slice<PassageRecord> & { readonly totalCount: number })[]>;

  /** Passages of any tenant whose vector is missing, oldest first, after the given passage id (null: from the start). */
  unembedded(limit: number, after: string | null): Promise<readonly UnembeddedPassage[]>;
  /** Adds vectors to passages that are still there and still have none. */
  writeVectors(
    tenant: string,
    vectors: readonly { readonly passageId: string; readonly vector: Float32Array }[],
  ): Promise<void>;
}
