import DataLoader from 'dataloader';
import type { DocumentStore, PassageRecord } from '../core/contracts/document-store.ts';
import { inKeyOrder, type ScopeBelowSearches } from './scope.ts';

export type PassageLoader = DataLoader<string, PassageRecord>;

/** Passages by id: one statement for all that a request asks for at once. */
export function passageLoader(
  store: DocumentStore,
  { tenant, signal, belowSearches }: ScopeBelowSearches,
): PassageLoader {
  return new DataLoader(
    async (ids) => inKeyOrder(ids, await store.passagesByIds(tenant, ids, signal), (item) => item.id, 'passage'),
    { name: 'passageLoader', maxBatchSize: 500, batchScheduleFn: belowSearches.schedule },
  );
}
