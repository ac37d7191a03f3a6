import type { CollectionRecord, CollectionStore } from '../contracts/collection-store.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { IndexHit, SearchIndex, SearchMode } from '../contracts/search-index.ts';
import type { CallOptions, Models } from '../models/models.ts';
import { checkFirst, decodeCursor, encodeCursor } from '../pagination.ts';
import { inputHash } from '../runs/input-hash.ts';
import { assertStorable, isStorable, normaliseText } from '../text/normalise.ts';
import { type Highlighter, highlighter } from './highlights.ts';
import { type MetadataFilterInput, parseMetadataFilter } from './metadata-filter.ts';
import { rerank, rerankDepth } from './rerank.ts';

export interface SearchRequest {
  readonly query: string;
  readonly in: string;
  readonly first: number;
  readonly after: string | null;
  readonly mode: SearchMode;
  readonly filter: MetadataFilterInput | null;
  readonly rerank: boolean;
  readonly perDocument: number | null;
}

export interface SearchHit extends IndexHit {
  readonly cursor: string;
  /** Marks the words of the query in its text. */
  readonly highlight: Highlighter;
}

export interface SearchResult {
  readonly query: string;
  readonly hits: readonly SearchHit[];
  readonly hasNext: boolean;
  readonly hasPrevious: boolean;
  readonly timings: {
    readonly embedMs: number;
    readonly retrieveMs: number;
    readonly rerankMs: number | null;
    readonly totalMs: number;
  };
}

export interface SearchServices {
  readonly collections: CollectionStore;
  readonly searchIndex: SearchIndex;
  readonly models: Models;
  readonly limits: { readonly maxFirst: number; readonly maxQueryChars: number };
}

interface Prepared {
  readonly request: SearchRequest;
  readonly collection: CollectionRecord;
  /** The query in the form that documents have: words that look the same are the same. */
  readonly text: string;
  readonly offset: number;
  readonly scope: string;
  readonly vector: Float32Array | null;
  readonly embedMs: number;
}

/**
 * All searches of one operation: their queries share embeddings calls, and they are one SQL statement. A result may be there while other
 * queries are still being ranked; a search that cannot be done rejects, and the others are whole.
 */
export function searchAll(
  services: SearchServices,
  requests: readonly SearchRequest[],
  call: CallOptions,
): Promise<SearchResult>[] {
  if (requests.length === 0) return [];
  const started = performance.now();
  const retrieving = retrieveAll(services, requests, call);
  return requests.map(async (_, place) => {
    const begun = (await retrieving)[place];
    if (begun === undefined || begun instanceof Error) throw begun ?? new Error('a search without a result');
    const found = await begun.hits;
    const retrieveMs = performance.now() - begun.started;
    return await finish(services, begun.search, found, { retrieveMs, started }, call);
  });
}

export async function search(
  services: SearchServices,
  request: SearchRequest,
  call: CallOptions,
): Promise<SearchResult> {
  const [result] = await Promise.all(searchAll(services, [request], call));
  if (result === undefined) throw new Error('a search without a result');
  return result;
}

interface Retrieving {
  readonly search: Prepared;
  readonly started: number;
  readonly hits: Promise<readonly IndexHit[]>;
}

/** What the statement has begun to find; an Error in the place of a search that is not in it. */
async function retrieveAll(
  { collections, ...services }: SearchServices,
  requests: readonly SearchRequest[],
  call: CallOptions,
): Promise<(Retrieving | Error)[]> {
  // A name that PostgreSQL does not take would fail the one statement for all of them.
  const names = [...new Set(requests.map((request) => request.in).filter(isStorable))];
  const named = await collections.byNames(call.tenant, names, call.signal);
  const byName = new Map(named.map((collection) => [collection.name, collection]));
  const prepared = await Promise.all(
    requests.map((request) => prepare(services, request, byName.get(request.in), call).catch(asError)),
  );
  const runnable = prepared.filter((one): one is Prepared => !(one instanceof Error));
  const started = performance.now();
  const found = services.searchIndex.search(call.tenant, runnable.map(indexQuery), call.signal);
  const hitsOf = new Map(runnable.map((one, index) => [one, found[index]]));
  return prepared.map((one) =>
    one instanceof Error ? one : { search: one, started, hits: hitsOf.get(one) ?? Promise.resolve([]) },
  );
}

async function prepare(
  { models, limits }: Pick<SearchServices, 'models' | 'limits'>,
  request: SearchRequest,
  collection: CollectionRecord | undefined,
  call: CallOptions,
): Promise<Prepared> {
  checkQuery(request, limits);
  if (collection === undefined) throw collectionNotFound(request.in);
  if (request.rerank) assertReranks(models);
  const scope = `search:${inputHash({ ...request, first: null, after: null })}`;
  const offset = request.after === null ? 0 : offsetOf(scope, request.after);
  const text = normaliseText(request.query);
  const started = performance.now();
  const embedded = request.mode === 'KEYWORD' ? null : await models.embed(collection.embeddingModel, text, call);
  const embedMs = embedded === null ? 0 : performance.now() - started;
  return { request, collection, text, offset, scope, vector: embedded?.vector ?? null, embedMs };
}

function checkQuery(request: SearchRequest, limits: SearchServices['limits']): void {
  const { query, first, perDocument, filter } = request;
  if (query.trim() === '') throw new GatewayError('BAD_INPUT', 'query must hold at least one word, got an empty text.');
  if (query.length > limits.maxQueryChars) {
    throw new GatewayError(
      'BAD_INPUT',
      `query must be at most ${limits.maxQueryChars} characters (limits.maxQueryChars), got ${query.length}.`,
    );
  }
  assertStorable(query, 'query');
  assertStorable(request.in, 'in');
  checkFirst(first, { name: 'first', max: limits.maxFirst });
  if (perDocument !== null) checkFirst(perDocument, { name: 'perDocument', max: 1_000 });
  if (filter !== null) parseMetadataFilter(filter);
}

const maxOffset = 10_000;

function offsetOf(scope: string, after: string): number {
  const [offset] = decodeCursor(scope, after);
  if (typeof offset === 'number' && Number.isInteger(offset) && offset > 0 && offset <= maxOffset) return offset;
  throw new GatewayError('BAD_INPUT', `after must be a cursor of this search, got "${after.slice(0, 40)}".`);
}

function assertReranks(models: Models): void {
  const model = models.chatModel(null);
  if (model.generative) return;
  throw new GatewayError(
    'BAD_INPUT',
    `rerank needs a generative model; ${model.name} of provider ${model.provider} cannot. Leave it out, or configure a provider.`,
  );
}

/** A reranked search reads its whole head, whatever the page: pages then agree on the order. */
function indexQuery({ request, collection, text, vector, offset }: Prepared) {
  const { mode, filter, perDocument, first } = request;
  const reranks = request.rerank && offset < rerankDepth;
  return {
    collectionId: collection.id,
    text,
    vector,
    mode,
    filter: filter === null ? null : parseMetadataFilter(filter),
    perDocument,
    offset: reranks ? 0 : offset,
    limit: reranks ? Math.max(rerankDepth, offset + first + 1) : first + 1,
  };
}

async function finish(
  { models }: SearchServices,
  search: Prepared,
  found: readonly IndexHit[],
  clock: { readonly retrieveMs: number; readonly started: number },
  call: CallOptions,
): Promise<SearchResult> {
  const { request, text, offset, scope, embedMs } = search;
  const rerankStarted = performance.now();
  const reranks = request.rerank && offset < rerankDepth;
  const ordered = reranks ? await rerank(models, request.query, found, call) : found;
  const window = reranks ? ordered.slice(offset) : ordered;
  const ended = performance.now();
  const highlight = highlighter(text);
  return {
    query: request.query,
    hits: window
      .slice(0, request.first)
      .map((hit, index) => ({ ...hit, cursor: encodeCursor(scope, [offset + index + 1]), highlight })),
    hasNext: window.length > request.first,
    hasPrevious: offset > 0,
    timings: {
      embedMs,
      retrieveMs: clock.retrieveMs,
      rerankMs: reranks ? ended - rerankStarted : null,
      totalMs: ended - clock.started,
    },
  };
}

export const collectionNotFound = (name: string): GatewayError =>
  new GatewayError('NOT_FOUND', `There is no collection "${name.slice(0, 100)}".`);

/** Whatever one search of an operation failed with; an abort ends them all alike. */
function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
