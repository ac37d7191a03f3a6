import type { IndexQuery } from '../../core/contracts/search-index.ts';
import { type SQL, sql } from './drizzle.ts';
import { filterGroups } from './filter-groups.ts';
import { hitColumns, hitTables } from './hit-rows.ts';
import { candidatePassages } from './lexical-passages.ts';
import { lexicalQueries, lexicalScore, scoreSteps } from './lexical-queries.ts';
import { nearestPassages } from './nearest-passages.ts';
import { readWhole } from './search-settings.ts';
import { isUuid } from './uuid.ts';
import { vectorParameters } from './vector-parameter.ts';

/**
 * All queries in one statement: a LATERAL over the unnested set for each leg, and both legs scored over their union.
 * What all rows of a query need (vectors, tsqueries) is made once, in materialised expressions.
 */
export function searchStatement(tenant: string, queries: readonly IndexQuery[], longestIndexedVector: number): SQL {
  const { groups, groupOf } = filterGroups(queries);
  const lengths = queries.flatMap((query) => vectorOf(query)?.length ?? []);
  const dimensions = lengths.filter((length) => length <= longestIndexedVector);
  return sql`with ${asked(queries, groupOf)},
    ${lexicalQueries(tenant)},
    query as materialized (
      select asked.*, size.passages, vector_dims(asked.embedding) as dimensions, null::uuid as excluded_id,
        terms, weights, candidates
      from asked join size using (collection_id) left join lexical_query using (ordinal)),
    ${nearestPassages(tenant, dimensions, groups)},
    ${candidatePassages(tenant, groups)},
    ${scored(tenant)},
    ${placed},
    -- First the page, then what it shows: joined the other way round, every candidate would meet every document.
    hit as materialized (
      select placed.* from placed join query using (ordinal)
      where placed.place > query.skip and placed.place <= query.skip + query.take)
    select hit.ordinal, hit.score, hit.keyword, hit.similarity, ${hitColumns}
    from hit ${hitTables(tenant)} order by hit.ordinal, hit.place`;
}

function vectorOf(query: IndexQuery): Float32Array | null {
  return query.mode === 'KEYWORD' ? null : query.vector;
}

function asked(queries: readonly IndexQuery[], groupOf: readonly number[]): SQL {
  const column = (value: (query: IndexQuery, index: number) => unknown) => sql.param(queries.map(value));
  return sql`asked as materialized (
    select * from unnest(
      ${column((_, index) => index)}::int[],
      ${column(({ collectionId }) => (isUuid(collectionId) ? collectionId : null))}::uuid[],
      ${column(({ text }) => text)}::text[],
      ${column(({ mode }) => mode)}::text[],
      ${vectorParameters(queries.map(vectorOf))},
      ${column((_, index) => groupOf[index])}::int[],
      ${column(({ filter }) => filter !== null)}::boolean[],
      ${column(({ perDocument }) => perDocument)}::int[],
      ${column(({ offset }) => offset)}::int[],
      ${column(({ limit }) => limit)}::int[]
    ) as query(ordinal, collection_id, text, mode, embedding, filter_group, filtered, per_document, skip, take))`;
}

/** Every candidate with both of its scores: a leg that found it has scored it, for the other it is made up here. */
function scored(tenant: string): SQL {
  return sql`scored as materialized (
      select candidate.ordinal, candidate.passage_id, candidate.document_id,
        query.mode, query.terms is not null as has_terms, query.per_document,
        case when query.mode <> 'VECTOR' then coalesce(
          candidate.keyword,
          case when query.passages > ${readWhole} then (select ${lexicalScore(sql`w.words`)} from passage_words w
            where w.tenant = ${tenant} and w.passage_id = candidate.passage_id) end,
          0)::float8 / ${scoreSteps} end as keyword,
        coalesce(
          candidate.similarity,
          (select nullif(1 - (v.embedding <=> query.embedding), 'NaN') from passage_vectors v
            where v.tenant = ${tenant} and v.passage_id = candidate.passage_id
              and v.dimensions = query.dimensions)) as similarity
      from candidate join query using (ordinal))`;
}

/**
 * score = ½·minmax(keyword) + ½·minmax(similarity), each over the candidates of its query, or the one leg alone where the
 * other has nothing to say. A leg of equal values is 1 for those that have it. Then at most `per_document` of each document.
 */
const placed = sql`normalised as (
    select scored.*,
      case when max(keyword) over own > min(keyword) over own
        then (keyword - min(keyword) over own) / (max(keyword) over own - min(keyword) over own)
        else (keyword > 0)::int end as keyword_part,
      case when similarity is null then 0
        when max(similarity) over own > min(similarity) over own
        then (similarity - min(similarity) over own) / (max(similarity) over own - min(similarity) over own)
        else 1 end as similarity_part,
      max(similarity) over own is not null as has_vectors
    from scored window own as (partition by ordinal)),
  fused as (
    select normalised.*, case
      when mode = 'VECTOR' then greatest(0, least(1, similarity))
      when mode = 'KEYWORD' or not has_vectors then keyword_part
      when not has_terms then similarity_part
      else 0.5 * keyword_part + 0.5 * similarity_part end as score
    from normalised),
  within_document as (
    select fused.*, row_number() over (
      partition by ordinal, document_id order by score desc, similarity desc nulls last, passage_id) as nth
    from fused),
  placed as (
    select within_document.*, row_number() over (
      partition by ordinal order by score desc, similarity desc nulls last, passage_id) as place
    from within_document where per_document is null or nth <= per_document)`;
