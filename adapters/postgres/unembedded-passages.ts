import type { UnembeddedPassage } from '../../core/contracts/document-store.ts';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { Database, Queryable } from './database.ts';
import { sql } from './drizzle.ts';
import { isUuid } from './uuid.ts';
import { vectorParameters } from './vector-parameter.ts';

interface PassageVector {
  readonly passageId: string;
  readonly vector: Float32Array;
}

/** Of all tenants, oldest first. */
export async function unembeddedPassages(
  database: Queryable,
  limit: number,
  after: string | null,
): Promise<readonly UnembeddedPassage[]> {
  if (after !== null && !isUuid(after))
    throw new GatewayError('BAD_INPUT', `after: expected a passage id, got ${after}`);
  return await database.query<UnembeddedPassage>(
    'passages-unembedded',
    sql`select missing.tenant, missing.passage_id as "passageId", collections.id as "collectionId",
        collections.embedding_model as "embeddingModel", documents.title, passages.text
      from unembedded_passages missing
      join passages on passages.tenant = missing.tenant and passages.id = missing.passage_id
      join documents on documents.tenant = missing.tenant and documents.id = passages.document_id
      join collections on collections.tenant = missing.tenant and collections.id = documents.collection_id
      where ${after === null ? sql`true` : sql`missing.passage_id > ${after}::uuid`}
      order by missing.passage_id limit ${limit}`,
  );
}

/** What has gone, or has a vector by now, is passed over. */
export async function writeVectors(
  database: Database,
  tenant: string,
  vectors: readonly PassageVector[],
): Promise<void> {
  const rows = vectors.filter(({ passageId }) => isUuid(passageId));
  if (rows.length === 0) return;
  const ids = sql.param(rows.map((row) => row.passageId));
  await database.transaction('vectors-write', async (transaction) => {
    await checkLengths(transaction, tenant, rows);
    await transaction.query(
      'vectors-insert',
      sql`insert into passage_vectors (tenant, collection_id, document_id, passage_id, dimensions, embedding)
        select ${tenant}, words.collection_id, words.document_id, words.passage_id, vector_dims(embedding), embedding
        from unnest(${ids}::uuid[], ${vectorParameters(rows.map(({ vector }) => vector))})
          as written(id, embedding)
        join passage_words words on words.tenant = ${tenant} and words.passage_id = written.id
        on conflict (tenant, passage_id) do nothing`,
    );
    await transaction.query(
      'unembedded-delete',
      sql`delete from unembedded_passages where tenant = ${tenant} and passage_id = any(${ids}::uuid[])`,
    );
  });
}

/** Also locks the passages, so that one that is deleted meanwhile is gone before or stays until the vector is written. */
async function checkLengths(transaction: Queryable, tenant: string, rows: readonly PassageVector[]): Promise<void> {
  const expected = await transaction.query<{ id: string; dimensions: number }>(
    'vectors-lock',
    sql`select passages.id, collections.dimensions from passages
      join documents on documents.tenant = passages.tenant and documents.id = passages.document_id
      join collections on collections.tenant = passages.tenant and collections.id = documents.collection_id
      where passages.tenant = ${tenant} and passages.id = any(${sql.param(rows.map((row) => row.passageId))}::uuid[])
      order by passages.id for key share of passages`,
  );
  const dimensions = new Map(expected.map((row) => [row.id, row.dimensions]));
  for (const { passageId, vector } of rows) {
    const length = dimensions.get(passageId) ?? vector.length;
    if (vector.length === length) continue;
    throw new GatewayError(
      'BAD_INPUT',
      `passage ${passageId}: expected a vector of length ${length}, got ${vector.length}`,
    );
  }
}
