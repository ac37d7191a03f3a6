import { type SQL, sql } from './drizzle.ts';
import { hitColumns, hitTables } from './hit-rows.ts';
import { nearestPassages } from './nearest-passages.ts';
import { isUuid } from './uuid.ts';

/** A long document is compared by its first passages. */
const passagesPerDocument = 16;
/**
 * Lengths of vectors whose index is used. What length a document's vectors have is known to the statement only; one of
 * another length is compared with every vector of its collection.
 */
const usualDimensions = [384, 768, 1024, 1536, 3072];

/** For each document the others of its collection by their nearest pair of passages. */
export function similarStatement(
  tenant: string,
  documentIds: readonly string[],
  first: number,
  longestIndexedVector: number,
): SQL {
  const dimensions = usualDimensions.filter((length) => length <= longestIndexedVector);
  const ids = sql.param(documentIds.map((id) => (isUuid(id) ? id : null)));
  return sql`with source as materialized (
      select asked.ordinal, own.*
      from unnest(${ids}::uuid[]) with ordinality as asked(id, ordinal)
      cross join lateral (
        select v.collection_id, v.document_id, v.embedding, v.dimensions
        from passages join passage_vectors v on v.tenant = passages.tenant and v.passage_id = passages.id
        where passages.tenant = ${tenant} and passages.document_id = asked.id
        order by passages.position limit ${passagesPerDocument}) own),
    size as materialized (
      select collection_id, (select count(*) from passage_vectors v
        where v.tenant = ${tenant} and v.collection_id = source.collection_id)::float8 as passages
      from (select distinct collection_id from source) source),
    query as materialized (
      select row_number() over ()::int as ordinal, source.ordinal as asked, collection_id, embedding, dimensions, passages,
        0 as filter_group, document_id as excluded_id
      from source join size using (collection_id)),
    ${nearestPassages(tenant, dimensions, [{ group: 0, condition: null }])},
    pair as (
      select query.asked, nearest.document_id, nearest.passage_id, nearest.similarity, row_number() over (
        partition by query.asked, nearest.document_id order by nearest.similarity desc, nearest.passage_id) as nth
      from nearest join query using (ordinal)),
    hit as (
      select pair.*, row_number() over (partition by asked order by similarity desc, passage_id) as place
      from pair where nth = 1)
    select (hit.asked - 1)::int as ordinal, greatest(0, least(1, hit.similarity)) as score, null::float8 as keyword,
      hit.similarity, ${hitColumns}
    from hit ${hitTables(tenant)}
    where hit.place <= ${first} order by hit.asked, hit.place`;
}
