import DataLoader from 'dataloader';
import type { CollectionStore } from '../core/contracts/collection-store.ts';
import type { ScopeBelowSearches } from './scope.ts';

export type CollectionCountsLoader = DataLoader<string, { readonly documents: number; readonly passages: number }>;

/** How much is in each collection; an empty one counts 0. */
export function collectionCountsLoader(
  store: CollectionStore,
  { tenant, signal, belowSearches }: ScopeBelowSearches,
): CollectionCountsLoader {
  return new DataLoader(
    async (ids) => {
      const counts = await store.counts(tenant, ids, signal);
      return ids.map((id) => counts.get(id) ?? { documents: 0, passages: 0 });
    },
    { name: 'collectionCountsLoader', maxBatchSize: 500, batchScheduleFn: belowSearches.schedule },
  );
}
