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
