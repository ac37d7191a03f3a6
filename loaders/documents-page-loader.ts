import DataLoader from 'dataloader';
import type { DocumentRecord, DocumentStore } from '../core/contracts/document-store.ts';
import type { Filter } from '../core/contracts/filter.ts';
import type { Page, Slice } from '../core/contracts/page.ts';
import { byArguments, type ScopeBelowSearches } from './scope.ts';

export interface DocumentsPageKey {
  readonly parentId: string;
  readonly page: Page;
  readonly filter: Filter | null;
}
export type DocumentsPageLoader = DataLoader<
  DocumentsPageKey,
  Slice<DocumentRecord> & { readonly totalCount: number },
  string
>;

/** One page of documents of each collection: one statement per set of arguments, not per collection. */
export function documentsPageLoader(
  store: DocumentStore,
  { tenant, signal, belowSearches }: ScopeBelowSearches,
): DocumentsPageLoader {
  const argumentsOf = ({ page, filter }: DocumentsPageKey): string => JSON.stringify([page, filter]);
  return new DataLoader(
    (keys) =>
      byArguments(keys, argumentsOf, (ids, { page, filter }) => store.listIn(tenant, ids, page, filter, signal)),
    {
      name: 'documentsPageLoader',
      maxBatchSize: 500,
      batchScheduleFn: belowSearches.schedule,
      cacheKeyFn: (key) => key.parentId + argumentsOf(key),
    },
  );
}
