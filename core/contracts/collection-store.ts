import type { Page, Slice } from './page.ts';

export interface CollectionRecord {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly embeddingModel: string;
  /** Length of the model's vectors. */
  readonly dimensions: number;
  readonly createdAt: Date;
}

/** Every method is bound to one tenant; another tenant's rows do not exist for it. */
export interface CollectionStore {
  /** CONFLICT when the name is taken. Makes sure that an index for `dimensions` exists. */
  create(
    tenant: string,
    collection: { name: string; embeddingModel: string; dimensions: number },
  ): Promise<CollectionRecord>;
  byIds(tenant: string, ids: readonly string[], signal?: AbortSignal): Promise<readonly CollectionRecord[]>;
  byNames(tenant: string, names: readonly string[], signal?: AbortSignal): Promise<readonly CollectionRecord[]>;
  /** By name. */
  list(tenant: string, page: Page, signal?: AbortSignal): Promise<Slice<CollectionRecord>>;
  counts(
    tenant: string,
    ids: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, { documents: number; passages: number }>>;
  /** False: there is none of this id. CONFLICT when the name is taken. */
  rename(tenant: string, id: string, name: string): Promise<boolean>;
  /** Deletes the collection and everything in it; returns the number of documents deleted, null when there is none. */
  delete(tenant: string, name: string): Promise<number | null>;
}
