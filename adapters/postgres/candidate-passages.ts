import { type SQL, sql } from './drizzle.ts';
import type { FilterGroup } from './filter-groups.ts';
import { passagesByWords } from './lexical-passages.ts';
import { lexicalScore, scoreSteps } from './lexical-queries.ts';
import { nearestOfQuery } from './nearest-passages.ts';
import { candidates, readWhole } from './search-settings.ts';

/**
 * The common table expression `candidate (passage_id, document_id, similarity, keyword)`, in the LATERAL of one row of `query`: what
 * is nearest, and what is best by its words, each with both scores. A leg that found a passage has scored it; the other score is made
 * up here.
 */
export function candidatePassages(tenant: string, dimensions: readonly number[], groups: readonly FilterGroup[]): SQL {
  return sql`nearest as materialized (${nearestOfQuery(tenant, dimensions, groups)}),
    by_words as materialized (${passagesByWords(tenant, groups)}),
    best_by_words as (
      select passage_id, keyword from by_words where brought_in order by keyword desc, passage_id limit ${candidates}),
    candidate as materialized (
      select passage_id, nearest.document_id, nearest.similarity, coalesce(
          by_words.keyword,
          case when query.passages > ${readWhole} then (
            select ${lexicalScore(sql`w.words`)} from passage_words w
            where w.tenant = ${tenant} and w.passage_id = nearest.passage_id) end,
          0)::float8 / ${scoreSteps} as keyword
      from nearest left join by_words using (passage_id)
      union all
      select passage_id, coalesce(vector.document_id, (
          select w.document_id from passage_words w
          where w.tenant = ${tenant} and w.passage_id = best_by_words.passage_id)),
        vector.similarity, keyword::float8 / ${scoreSteps}
      from best_by_words left join lateral (
        select v.document_id, case when v.dimensions = query.dimensions
          then nullif(1 - (v.embedding <=> query.embedding), 'NaN') end as similarity
        from passage_vectors v where v.tenant = ${tenant} and v.passage_id = best_by_words.passage_id limit 1) vector on true
      where not exists (select from nearest where nearest.passage_id = best_by_words.passage_id))`;
}
