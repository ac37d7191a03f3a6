import DataLoader from 'dataloader';
import type { CollectionRecord, CollectionStore } from '../core/contracts/collection-store.ts';
import { inKeyOrder, type ScopeBelowSearches } from './scope.ts';

export type CollectionLoader = DataLoader<string, CollectionRecord>;

/** Collections by id: one statement for all that a request asks for at once. */
export function collectionLoader(
  store: CollectionStore,
  { tenant, signal, belowSearches }: ScopeBelowSearches,
): CollectionLoader {
  return new DataLoader(
    async (ids) => inKeyOrder(ids, await store.byIds(tenant, ids, signal), (item) => item.id, 'collection'),
    { name: 'collectionLoader', maxBatchSize: 500, batchScheduleFn: belowSearches.schedule },
  );
}
