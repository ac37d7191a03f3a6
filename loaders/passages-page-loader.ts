import DataLoader from 'dataloader';
import type { DocumentStore, PassageRecord } from '../core/contracts/document-store.ts';
import type { Page, Slice } from '../core/contracts/page.ts';
import { byArguments, type ScopeBelowSearches } from './scope.ts';

export interface PassagesPageKey {
  readonly parentId: string;
  readonly page: Page;
}
export type PassagesPageLoader = DataLoader<
  PassagesPageKey,
  Slice<PassageRecord> & { readonly totalCount: number },
  string
>;

/** One page of passages of each document: one statement per set of arguments, not per document. */
export function passagesPageLoader(
  store: DocumentStore,
  { tenant, signal, belowSearches }: ScopeBelowSearches,
): PassagesPageLoader {
  const argumentsOf = ({ page }: PassagesPageKey): string => JSON.stringify(page);
  return new DataLoader(
    (keys) => byArguments(keys, argumentsOf, (ids, { page }) => store.passagesOf(tenant, ids, page, signal)),
    {
      name: 'passagesPageLoader',
      maxBatchSize: 500,
      batchScheduleFn: belowSearches.schedule,
      cacheKeyFn: (key) => key.parentId + argumentsOf(key),
    },
  );
}
