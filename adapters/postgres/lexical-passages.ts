import { type SQL, sql } from './drizzle.ts';
import type { FilterGroup } from './filter-groups.ts';
import { lexicalScore, wordScore } from './lexical-queries.ts';
import { union } from './nearest-passages.ts';
import { candidates } from './search-settings.ts';

/**
 * The common table expression `candidate (ordinal, passage_id, document_id, keyword, similarity)` over `query`, `nearest` and what
 * `lexicalQueries` makes: what is nearest, and the best passages by their words. Each has the scores that its legs know, `keyword`
 * in steps.
 *
 * Of a collection that is read whole every word of every passage is known; they are summed together with what is nearest, in one
 * grouping: it is the largest part of many a search.
 */
export function candidatePassages(tenant: string, groups: readonly FilterGroup[]): SQL {
  return sql`known as (
      select ordinal, passage_id, document_id, coalesce(sum(word_score), max(score)) as keyword,
        max(similarity) as similarity, bool_or(brings_in) as brought_in
      from (
        select ordinal, passage_id, document_id, ${wordScore(sql`weight`, sql`rank`)} as word_score, null::bigint as score,
          null::float8 as similarity, brings_in
        from weighted join posting using (term_id)
        union all ${union(groups.map((group) => indexBranch(tenant, group)))}
        union all select ordinal, passage_id, document_id, null, null, similarity, false from nearest) leg
      group by ordinal, passage_id, document_id),
    ranked as (${union(groups.map((group) => rankedBranch(tenant, group)))}),
    candidate as (
      select * from ranked where similarity is not null or (brought_in and place <= ${candidates}))`;
}

function indexBranch(tenant: string, filter: FilterGroup): SQL {
  return sql`select query.ordinal, found.passage_id, found.document_id, null, found.score, null, true
    from query cross join lateral (
      select w.passage_id, w.document_id, ${lexicalScore(sql`w.words`)} as score from passage_words w
      where w.tenant = ${tenant} and w.collection_id = query.collection_id and w.words @@ query.candidates
        ${passes(tenant, filter, sql`w.document_id`)}
      order by score desc, w.passage_id limit ${candidates}) found
    where query.filter_group = ${filter.group} and query.candidates is not null`;
}

function rankedBranch(tenant: string, filter: FilterGroup): SQL {
  // One key to sort by: two take noticeably longer.
  return sql`select known.*, row_number() over (
      partition by ordinal order by case when brought_in then keyword end desc nulls last, passage_id) as place
    from known where ordinal = any(${sql.param(filter.ordinals)}::int[]) ${passes(tenant, filter, sql`known.document_id`)}`;
}

function passes(tenant: string, { condition }: FilterGroup, documentId: SQL): SQL {
  if (condition === null) return sql``;
  return sql`and exists (select from documents
    where documents.tenant = ${tenant} and documents.id = ${documentId} and ${condition})`;
}
