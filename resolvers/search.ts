import type { Context } from '../context.ts';
import type { PassageRecord } from '../core/contracts/document-store.ts';
import type { IndexHit, SearchMode } from '../core/contracts/search-index.ts';
import { type MetadataFilterInput, parseMetadataFilter } from '../core/search/metadata-filter.ts';
import type { SearchHit, SearchResult } from '../core/search/search.ts';
import { type CitedTextRecord, summarise } from '../core/search/summarise.ts';
import { numberSources } from '../core/text/source-prompt.ts';
import { type Connection, pageInfoOf } from './connection.ts';

export interface SearchArgs {
  readonly query: string;
  readonly in?: string | null | undefined;
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly mode?: SearchMode | null | undefined;
  readonly filter?: MetadataFilterInput | null | undefined;
  readonly rerank?: boolean | null | undefined;
  readonly perDocument?: number | null | undefined;
}

export interface SummaryArgs {
  readonly model?: string | null | undefined;
  readonly maxWords: number;
}

/** Of a search, or of documents that are near to one: those answer no words. */
export type ListedHit = IndexHit & Pick<SearchHit, 'cursor'> & Partial<Pick<SearchHit, 'highlight'>>;
export type SearchEdge = SearchHit & { readonly node: PassageRecord };
export type SearchConnection = Connection<PassageRecord, SearchEdge> & { readonly result: SearchResult };

export async function search(args: SearchArgs, { loaders }: Context): Promise<SearchConnection> {
  // Before the loader makes a key of it: a filter that is nested some thousand deep takes any recursion's stack.
  if (args.filter != null) parseMetadataFilter(args.filter);
  const result = await loaders.search.load({
    query: args.query,
    in: args.in ?? 'default',
    first: args.first ?? 10,
    after: args.after ?? null,
    mode: args.mode ?? 'HYBRID',
    filter: args.filter ?? null,
    rerank: args.rerank ?? false,
    perDocument: args.perDocument ?? null,
  });
  // The hits carry their documents: what is selected below them needs no statement of its own.
  for (const { passage, document } of result.hits) {
    loaders.passage.prime(passage.id, passage);
    loaders.document.prime(document.id, document);
  }
  const edges = result.hits.map((hit) => ({ ...hit, node: hit.passage }));
  return { result, edges, pageInfo: pageInfoOf(edges, result) };
}

export function highlightsOf({ passage, highlight }: ListedHit): string[] {
  return highlight?.(passage.text) ?? [];
}

export function summariseSearch(
  { result }: SearchConnection,
  { maxWords, model }: SummaryArgs,
  { services, call }: Context,
): Promise<CitedTextRecord | null> {
  const task = { sources: numberSources(result.hits), about: result.query, maxWords, model: model ?? null };
  return summarise(services.models, task, call);
}
