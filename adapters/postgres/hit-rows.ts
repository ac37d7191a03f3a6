import type { IndexHit } from '../../core/contracts/search-index.ts';
import { type SQL, sql } from './drizzle.ts';

/** The hit's passage and document, so that neither needs a statement of its own. */
export const hitColumns = sql`passages.id as passage_id, passages.position, passages.text,
  documents.id as document_id, documents.collection_id, documents.external_id, documents.title, documents.url,
  documents.metadata, documents.created_at, documents.updated_at`;

/**
 * Joins the rows named `hit` to what `hitColumns` reads. Each `limit 1` makes it an index look-up per hit: without statistics
 * (PGlite never gathers any by itself) a plain join reads all of the tenant's documents.
 */
export function hitTables(tenant: string): SQL {
  return sql`cross join lateral (
      select * from passages where passages.tenant = ${tenant} and passages.id = hit.passage_id limit 1) passages
    cross join lateral (
      select * from documents where documents.tenant = ${tenant} and documents.id = hit.document_id limit 1) documents`;
}

export interface HitRow {
  readonly ordinal: number;
  readonly score: number;
  readonly keyword: number | null;
  readonly similarity: number | null;
  readonly passage_id: string;
  readonly position: number;
  readonly text: string;
  readonly document_id: string;
  readonly collection_id: string;
  readonly external_id: string;
  readonly title: string | null;
  readonly url: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export function hitOf(row: HitRow): IndexHit {
  return {
    passage: { id: row.passage_id, documentId: row.document_id, position: row.position, text: row.text },
    document: {
      id: row.document_id,
      collectionId: row.collection_id,
      externalId: row.external_id,
      title: row.title,
      url: row.url,
      metadata: row.metadata,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    },
    score: row.score,
    vectorScore: row.similarity,
    keywordScore: row.keyword,
  };
}

/** The hits of each query, in the order of `count` queries; rows come sorted. */
export function hitsByQuery(rows: readonly HitRow[], count: number): IndexHit[][] {
  const hits: IndexHit[][] = Array.from({ length: count }, () => []);
  for (const row of rows) hits[row.ordinal]?.push(hitOf(row));
  return hits;
}

export interface PlacedHitRow extends HitRow {
  /** Among those of its query, from 1. */
  readonly place: number;
  /** How many rows its query has. */
  readonly count: number;
}

/**
 * The hits of many queries, whose rows may come in any order: those of each query are there when its last row is. Those that are whole last
 * are there when the statement has ended: nothing of it goes on when all have been answered.
 */
export class ArrivingHits {
  readonly #queries: readonly Arriving[];
  #open: number;

  constructor(count: number) {
    this.#queries = Array.from({ length: count }, () => ({ rows: [], hits: Promise.withResolvers() }));
    this.#open = count;
    // Whoever asked may have gone before it listens to all of them.
    for (const { hits } of this.#queries) hits.promise.catch(() => {});
  }

  ofEach(): Promise<readonly IndexHit[]>[] {
    return this.#queries.map(({ hits }) => hits.promise);
  }

  add(row: PlacedHitRow): void {
    const query = this.#queries[row.ordinal];
    if (query?.rows.push(row) !== row.count || this.#open === 1) return;
    this.#open -= 1;
    resolve(query);
  }

  end(): void {
    for (const query of this.#queries) resolve(query);
  }

  /** Of those that are not there. */
  fail(error: unknown): void {
    for (const { hits } of this.#queries) hits.reject(error);
  }
}

interface Arriving {
  readonly rows: PlacedHitRow[];
  readonly hits: PromiseWithResolvers<readonly IndexHit[]>;
}

function resolve({ rows, hits }: Arriving): void {
  hits.resolve(rows.sort((left, right) => left.place - right.place).map(hitOf));
}
