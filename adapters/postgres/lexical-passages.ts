import { type SQL, sql } from './drizzle.ts';
import type { FilterGroup } from './filter-groups.ts';
import { lexicalScore, wordScore } from './lexical-queries.ts';
import { union } from './nearest-passages.ts';
import { candidates, readWhole } from './search-settings.ts';

/**
 * The subquery (passage_id, keyword, brought_in), in the LATERAL of one row of `query`, over what `lexicalQueries` and
 * `passingPassages` make: passages with words of the query, `keyword` in steps. Of a collection that is read whole they are all of
 * them, also those that only have words that bring in none; of another the best.
 */
export function passagesByWords(tenant: string, groups: readonly FilterGroup[]): SQL {
  return sql`select passage_id, sum(${wordScore(sql`weight`, sql`rank`)}) as keyword, bool_or(brings_in) as brought_in
    from (
      select weight, brings_in, unnest(passage_ids) as passage_id, unnest(ranks) as rank
      from weighted where weighted.ordinal = query.ordinal) word
    group by passage_id
    having not query.filtered
      or (query.filter_group, passage_id) in (select filter_group, passage_id from passing)
    union all ${union(groups.map((group) => bestByIndex(tenant, group)))}`;
}

/** The common table expression `passing (filter_group, passage_id)`: what passes a filter in collections that are read whole. */
export function passingPassages(tenant: string, groups: readonly FilterGroup[]): SQL {
  const branches = groups.flatMap(({ group, condition }) =>
    condition === null
      ? []
      : sql`select ${group}::int as filter_group, found.passage_id
        from (select distinct collection_id from asked where filter_group = ${group}) asked join size using (collection_id)
          -- "offset 0" keeps the passages inside: joined the other way round, a large table would be read for nothing.
          cross join lateral (
            select w.passage_id from passage_words w
            where w.tenant = ${tenant} and w.collection_id = size.collection_id ${passes(tenant, condition)} offset 0) found
        where size.passages <= ${readWhole}`,
  );
  const none = sql`select null::int as filter_group, null::uuid as passage_id where false`;
  return sql`passing as materialized (${branches.length > 0 ? union(branches) : none})`;
}

function bestByIndex(tenant: string, { group, condition }: FilterGroup): SQL {
  return sql`(select w.passage_id, ${lexicalScore(sql`w.words`)} as keyword, true from passage_words w
    where w.tenant = ${tenant} and w.collection_id = query.collection_id and w.words @@ query.candidates
      and query.candidates is not null and query.filter_group = ${group}
      ${condition === null ? sql`` : passes(tenant, condition)}
    order by keyword desc, w.passage_id limit ${candidates})`;
}

function passes(tenant: string, condition: SQL): SQL {
  return sql`and exists (select from documents
    where documents.tenant = ${tenant} and documents.id = w.document_id and ${condition})`;
}
