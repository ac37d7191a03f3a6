import DataLoader from 'dataloader';
import type { DocumentRecord, DocumentStore } from '../core/contracts/document-store.ts';
import { inKeyOrder, type ScopeBelowSearches } from './scope.ts';

export type DocumentLoader = DataLoader<string, DocumentRecord>;

/** Documents by id: one statement for all that a request asks for at once. */
export function documentLoader(
  store: DocumentStore,
  { tenant, signal, belowSearches }: ScopeBelowSearches,
): DocumentLoader {
  return new DataLoader(
    async (ids) => inKeyOrder(ids, await store.byIds(tenant, ids, signal), (item) => item.id, 'document'),
    { name: 'documentLoader', maxBatchSize: 500, batchScheduleFn: belowSearches.schedule },
  );
}
