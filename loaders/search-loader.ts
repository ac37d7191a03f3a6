import DataLoader from 'dataloader';
import type { CallOptions } from '../core/models/models.ts';
import { type SearchRequest, type SearchResult, type SearchServices, searchAll } from '../core/search/search.ts';
import type { BelowSearches } from './below-searches.ts';

/** A value is a promise of its own: what it is `load`ed as does not wait for the others. */
export type SearchLoader = DataLoader<SearchRequest, Promise<SearchResult>, string>;

/** All searches of an operation: their embeddings share provider calls, and they are one SQL statement. */
export function searchLoader(
  services: SearchServices,
  { belowSearches, ...call }: CallOptions & { readonly belowSearches: BelowSearches },
): SearchLoader {
  const searching = async (requests: readonly SearchRequest[]) => {
    const results = searchAll(services, requests, call);
    belowSearches.follow(results);
    return results;
  };
  return new DataLoader(searching, {
    name: 'searchLoader',
    maxBatchSize: 150,
    cacheKeyFn: (request) => JSON.stringify(request),
  });
}
