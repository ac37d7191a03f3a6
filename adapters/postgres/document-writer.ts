import { randomUUID } from 'node:crypto';
import type { DocumentWrite } from '../../core/contracts/document-store.ts';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { Database, Queryable } from './database.ts';
import { sql } from './drizzle.ts';
import { isUuid, orderedUuid } from './uuid.ts';
import { vectorText } from './vector-text.ts';

/** Inserts or replaces the documents with all their passages, words and vectors: a fixed number of statements. */
export async function writeDocuments(
  database: Database,
  tenant: string,
  collectionId: string,
  documents: readonly DocumentWrite[],
  signal?: AbortSignal,
): Promise<void> {
  // One statement cannot write a row twice: of documents with one external id the last counts, as if written one by one.
  // Always locked in the same order, so that two writers of the same documents wait for each other and do not deadlock.
  const byExternalId = new Map(documents.map((document) => [document.externalId, document]));
  const writes = [...byExternalId.values()].sort((a, b) => (a.externalId < b.externalId ? -1 : 1));
  if (writes.length === 0) return;
  await database.transaction(
    'documents-write',
    async (transaction) => {
      checkVectors(writes, await lockCollection(transaction, tenant, collectionId));
      const ids = await upsertDocuments(transaction, tenant, collectionId, writes);
      await transaction.query(
        'passages-delete',
        sql`delete from passages where tenant = ${tenant} and document_id = any(${sql.param([...ids.values()])}::uuid[])`,
      );
      await insertPassages(transaction, tenant, collectionId, writes, ids);
    },
    signal,
  );
}

/** The length of the collection's vectors. The collection cannot be deleted before the transaction has ended. */
async function lockCollection(transaction: Queryable, tenant: string, collectionId: string): Promise<number> {
  const [collection] = isUuid(collectionId)
    ? await transaction.query<{ dimensions: number }>(
        'collection-lock',
        sql`select dimensions from collections where tenant = ${tenant} and id = ${collectionId} for key share`,
      )
    : [];
  if (!collection) throw new GatewayError('NOT_FOUND', `there is no collection ${collectionId}`);
  return collection.dimensions;
}

function checkVectors(documents: readonly DocumentWrite[], dimensions: number): void {
  for (const { externalId, passages } of documents) {
    for (const [position, { vector }] of passages.entries()) {
      if (vector === null || vector.length === dimensions) continue;
      const where = `passage ${position} of document ${externalId}`;
      throw new GatewayError('BAD_INPUT', `${where}: expected a vector of length ${dimensions}, got ${vector.length}`);
    }
  }
}

/** External id → id; an id that was there before stays. */
async function upsertDocuments(
  transaction: Queryable,
  tenant: string,
  collectionId: string,
  documents: readonly DocumentWrite[],
): Promise<Map<string, string>> {
  const rows = await transaction.query<{ id: string; external_id: string }>(
    'documents-upsert',
    sql`insert into documents (tenant, id, collection_id, external_id, title, url, metadata, content_hash)
      select ${tenant}, id, ${collectionId}::uuid, external_id, title, url, metadata, content_hash
      from unnest(
        ${sql.param(documents.map(() => randomUUID()))}::uuid[],
        ${sql.param(documents.map((document) => document.externalId))}::text[],
        ${sql.param(documents.map((document) => document.title))}::text[],
        ${sql.param(documents.map((document) => document.url))}::text[],
        ${sql.param(documents.map((document) => JSON.stringify(document.metadata)))}::jsonb[],
        ${sql.param(documents.map((document) => document.contentHash))}::text[]
      ) as written(id, external_id, title, url, metadata, content_hash)
      on conflict (tenant, collection_id, external_id) do update set
        title = excluded.title, url = excluded.url, metadata = excluded.metadata,
        content_hash = excluded.content_hash, updated_at = now()
      returning id, external_id`,
  );
  return new Map(rows.map((row) => [row.external_id, row.id]));
}

async function insertPassages(
  transaction: Queryable,
  tenant: string,
  collectionId: string,
  documents: readonly DocumentWrite[],
  ids: ReadonlyMap<string, string>,
): Promise<void> {
  const rows = documents.flatMap((document) =>
    document.passages.map(({ text, vector }, position) => ({
      id: orderedUuid(),
      documentId: ids.get(document.externalId),
      position,
      title: document.title ?? '',
      text,
      vector: vector && vectorText(vector),
    })),
  );
  await transaction.query(
    'passages-insert',
    sql`with written as materialized (
        select * from unnest(
          ${sql.param(rows.map((row) => row.id))}::uuid[],
          ${sql.param(rows.map((row) => row.documentId))}::uuid[],
          ${sql.param(rows.map((row) => row.position))}::int[],
          ${sql.param(rows.map((row) => row.title))}::text[],
          ${sql.param(rows.map((row) => row.text))}::text[],
          ${sql.param(rows.map((row) => row.vector))}::vector[]
        ) as passage(id, document_id, position, title, text, embedding)
      ), words as (
        insert into passage_words (tenant, collection_id, document_id, passage_id, words)
        select ${tenant}, ${collectionId}::uuid, document_id, id,
          setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', text), 'D')
        from written
      ), vectors as (
        insert into passage_vectors (tenant, collection_id, document_id, passage_id, dimensions, embedding)
        select ${tenant}, ${collectionId}::uuid, document_id, id, vector_dims(embedding), embedding
        from written where embedding is not null
      ), missing as (
        insert into unembedded_passages (tenant, passage_id) select ${tenant}, id from written where embedding is null
      )
      insert into passages (tenant, id, document_id, position, text)
      select ${tenant}, id, document_id, position, text from written`,
  );
}
