import DataLoader from 'dataloader';
import type { IndexHit, SearchIndex } from '../core/contracts/search-index.ts';
import { byArguments, type ScopeBelowSearches } from './scope.ts';

export interface SimilarKey {
  readonly parentId: string;
  readonly first: number;
}
export type SimilarLoader = DataLoader<SimilarKey, readonly IndexHit[], string>;

/** The neighbours of each document: one statement per `first`, not per document. */
export function similarLoader(
  index: SearchIndex,
  { tenant, signal, belowSearches }: ScopeBelowSearches,
): SimilarLoader {
  return new DataLoader(
    (keys) =>
      byArguments(
        keys,
        ({ first }) => String(first),
        (ids, { first }) => index.similar(tenant, ids, first, signal),
      ),
    {
      name: 'similarLoader',
      maxBatchSize: 100,
      batchScheduleFn: belowSearches.schedule,
      cacheKeyFn: ({ parentId, first }) => `${parentId}:${first}`,
    },
  );
}
