import { postgresCollectionStore } from '../../adapters/postgres/collection-store.ts';
import type { Database } from '../../adapters/postgres/database.ts';
import { postgresDocumentStore } from '../../adapters/postgres/document-store.ts';
import { postgresSearchIndex } from '../../adapters/postgres/search-index.ts';
import type { CollectionRecord } from '../../core/contracts/collection-store.ts';
import type { DocumentWrite } from '../../core/contracts/document-store.ts';
import type { IndexQuery } from '../../core/contracts/search-index.ts';

/** The three stores of retrieval over one database. */
export function retrievalStores(database: Database) {
  return {
    collections: postgresCollectionStore(database),
    documents: postgresDocumentStore(database),
    index: postgresSearchIndex(database),
  };
}
export type RetrievalStores = ReturnType<typeof retrievalStores>;

export function makeCollection(stores: RetrievalStores, tenant: string, name: string, dimensions = 3) {
  return stores.collections.create(tenant, { name, embeddingModel: 'test-embedding', dimensions });
}

/** A document of one passage per text; a text may come with its vector. */
export function aDocument(
  externalId: string,
  texts: readonly (string | readonly [text: string, vector: readonly number[]])[],
  rest: Partial<Omit<DocumentWrite, 'externalId' | 'passages'>> = {},
): DocumentWrite {
  return {
    externalId,
    title: null,
    url: null,
    metadata: {},
    contentHash: `hash of ${externalId}`,
    ...rest,
    passages: texts.map((text) =>
      typeof text === 'string' ? { text, vector: null } : { text: text[0], vector: Float32Array.from(text[1]) },
    ),
  };
}

/** A query for everything, in its own order of relevance. */
export function aQuery(collection: CollectionRecord, text: string, rest: Partial<IndexQuery> = {}): IndexQuery {
  return {
    collectionId: collection.id,
    text,
    vector: null,
    mode: 'HYBRID',
    filter: null,
    perDocument: null,
    offset: 0,
    limit: 100,
    ...rest,
  };
}
