import DataLoader from 'dataloader';
import type { CollectionRecord, CollectionStore } from '../core/contracts/collection-store.ts';
import { inKeyOrder, type LoaderScope } from './scope.ts';

export type CollectionByNameLoader = DataLoader<string, CollectionRecord>;

export function collectionByNameLoader(
  store: CollectionStore,
  { tenant, signal }: LoaderScope,
): CollectionByNameLoader {
  return new DataLoader(
    async (names) => inKeyOrder(names, await store.byNames(tenant, names, signal), (item) => item.name, 'collection'),
    { name: 'collectionByNameLoader', maxBatchSize: 500 },
  );
}
