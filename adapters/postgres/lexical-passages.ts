import { type SQL, sql } from './drizzle.ts';
import type { FilterGroup } from './filter-groups.ts';
import { lexicalScore } from './lexical-queries.ts';
import { union } from './nearest-passages.ts';
import { candidates } from './search-settings.ts';

/**
 * The common table expression `lexical (ordinal, passage_id, document_id, score, listed)` over `query` and what `lexicalQueries`
 * makes: passages by their words, the best of them listed. Of a collection that is read whole the others are there too, since
 * their scores are known.
 */
export function lexicalPassages(tenant: string, groups: readonly FilterGroup[]): SQL {
  const branches = groups.flatMap((group) => [wholeBranch(tenant, group), indexBranch(tenant, group)]);
  return sql`lexical as (${union(branches)})`;
}

function wholeBranch(tenant: string, filter: FilterGroup): SQL {
  return sql`select ordinal, passage_id, document_id, score, brought_in and row_number() over (
        partition by ordinal order by brought_in desc, score desc, passage_id) <= ${candidates} as listed
      from word_score w where filter_group = ${filter.group} ${passes(tenant, filter)}`;
}

function indexBranch(tenant: string, filter: FilterGroup): SQL {
  return sql`select query.ordinal, found.*, true from query cross join lateral (
      select w.passage_id, w.document_id, ${lexicalScore(sql`w.words`)} as score from passage_words w
      where w.tenant = ${tenant} and w.collection_id = query.collection_id and w.words @@ query.candidates
        ${passes(tenant, filter)}
      order by score desc, w.passage_id limit ${candidates}) found
    where query.filter_group = ${filter.group} and query.candidates is not null`;
}

function passes(tenant: string, { condition }: FilterGroup): SQL {
  if (condition === null) return sql``;
  return sql`and exists (select from documents
    where documents.tenant = ${tenant} and documents.id = w.document_id and ${condition})`;
}
