import type { IndexQuery } from '../../core/contracts/search-index.ts';
import { candidatePassages } from './candidate-passages.ts';
import { type SQL, sql } from './drizzle.ts';
import { filterGroups } from './filter-groups.ts';
import { hitColumns, hitTables } from './hit-rows.ts';
import { passingPassages } from './lexical-passages.ts';
import { lexicalQueries } from './lexical-queries.ts';
import { isUuid } from './uuid.ts';
import { vectorParameters } from './vector-parameter.ts';

/**
 * All queries in one statement: a LATERAL over the unnested set, in which each is ranked by itself. What several queries share, and
 * what all rows of a query need (vectors, tsqueries), is made once before it, in materialised expressions.
 */
export function searchStatement(tenant: string, queries: readonly IndexQuery[], longestIndexedVector: number): SQL {
  const { groups, groupOf } = filterGroups(queries);
  const lengths = queries.flatMap((query) => vectorOf(query)?.length ?? []);
  const dimensions = lengths.filter((length) => length <= longestIndexedVector);
  return sql`with ${asked(queries, groupOf)},
    ${lexicalQueries(tenant)},
    ${passingPassages(tenant, groups)},
    query as materialized (
      select asked.*, size.passages, vector_dims(asked.embedding) as dimensions, null::uuid as excluded_id,
        terms, weights, candidates
      from asked join size using (collection_id) left join lexical_query using (ordinal)),
    -- First the page, then what it shows: joined the other way round, every candidate would meet every document.
    hit as materialized (
      select query.ordinal, placed.* from query cross join lateral (
        select page.*, row_number() over (order by ${bestFirst})::int as place, (count(*) over ())::int as count from (
          with ${candidatePassages(tenant, dimensions, groups)}, ${fused}
          select * from within_document where query.per_document is null or nth <= query.per_document
          order by ${bestFirst} limit query.take offset query.skip) page) placed)
    select ordinal, place, count, score, case when mode <> 'VECTOR' then keyword end as keyword, similarity, ${hitColumns}
    from hit ${hitTables(tenant)}`;
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

const bestFirst = sql`score desc, similarity desc nulls last, passage_id`;

/**
 * score = ½·minmax(keyword) + ½·minmax(similarity), each over the candidates of the query, or the one leg alone where the
 * other has nothing to say. A leg of equal values is 1 for those that have it. `nth` is the place within the document.
 */
const fused = sql`bounds as materialized (
    select min(keyword) as least_keyword, max(keyword) as most_keyword,
      min(similarity) as least_similarity, max(similarity) as most_similarity from candidate),
  normalised as (
    select candidate.*, most_similarity is not null as has_vectors,
      case when most_keyword > least_keyword then (keyword - least_keyword) / (most_keyword - least_keyword)
        else (keyword > 0)::int end as keyword_part,
      case when similarity is null then 0
        when most_similarity > least_similarity
        then (similarity - least_similarity) / (most_similarity - least_similarity)
        else 1 end as similarity_part
    from candidate cross join bounds),
  fused as (
    select passage_id, document_id, keyword, similarity, query.mode, case
      when query.mode = 'VECTOR' then greatest(0, least(1, similarity))
      when query.mode = 'KEYWORD' or not has_vectors then keyword_part
      when query.terms is null then similarity_part
      else 0.5 * keyword_part + 0.5 * similarity_part end as score
    from normalised),
  within_document as (
    select fused.*, row_number() over (partition by document_id order by ${bestFirst}) as nth from fused)`;
