import { type SQL, sql } from './drizzle.ts';
import { directionOf, directionText } from './half-vector.ts';

/** A long document is known by some of its passages. In which order they are read is left open: an order would make an index of it. */
const passagesPerDocument = 16;

/**
 * The direction of the mean of a document's passages, as `documentVectors` reads it; null while none has a vector. Only where
 * `condition` holds: a vector that is in another row already is not sent twice.
 */
export function documentVectorColumn(tenant: string, documentId: SQL, collectionId: SQL, condition: SQL): SQL {
  const own = sql`from passage_vectors v
    where v.tenant = ${tenant} and v.collection_id = ${collectionId} and v.document_id = ${documentId}`;
  // The mean of one is that one, and a third of the work.
  return sql`case
    when not (${condition}) then null
    when exists (select ${own} offset 1) then (
      select ${directionText(sql`avg(own.embedding)`)} from (select v.embedding ${own} limit ${passagesPerDocument}) own)
    else (select ${directionText(sql`v.embedding`)} ${own} limit 1) end`;
}

/** Each document's vector stands in one of its rows. */
export function documentVectors(
  rows: readonly { readonly document_id: string; readonly vector: string | null }[],
): ReadonlyMap<string, Float32Array> {
  return new Map(
    rows.flatMap(({ document_id, vector }) => (vector === null ? [] : [[document_id, directionOf(vector)]])),
  );
}

/** The first of a document's rows. */
export const firstOfDocument = (documentId: SQL, ordinal: SQL): SQL =>
  sql`row_number() over (partition by ${documentId} order by ${ordinal}) = 1`;
