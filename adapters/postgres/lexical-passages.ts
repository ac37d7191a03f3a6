import { type SQL, sql } from './drizzle.ts';
import { type FilterGroup, union } from './nearest-passages.ts';
import { candidates } from './search-settings.ts';

/** Words of one query that are looked at, in their order; each costs a count over the collection. */
const wordsPerQuery = 64;
/**
 * Rarer words come first; once those that went before match so many passages, a word only scores and no longer brings in
 * passages of its own: a word that is nearly everywhere would have nearly everything ranked.
 */
const enoughMatches = 1_000;

/**
 * Common table expressions over `asked` (ordinal, collection_id, text, mode, filtered):
 *
 * - `size (collection_id, passages)`
 * - `lexical_query (ordinal, terms, weights, candidates, marked)`: each term with its inverse document frequency,
 *   ln(1 + (N − df + ½) / (df + ½)), counted over the whole collection; the terms that bring in passages; all words of the
 *   query, to be marked. No row for a query without words.
 *
 * Words become queries once, here: a cast inside the LATERAL below would be made for every row.
 */
export function lexicalQueries(tenant: string): SQL {
  return sql`size as materialized (
      select collection_id, (select count(*) from passage_words w
        where w.tenant = ${tenant} and w.collection_id = asked.collection_id)::float8 as passages
      from (select distinct collection_id from asked) asked),
    word as materialized (
      select asked.ordinal, asked.collection_id, asked.mode, asked.filtered, found.lexeme,
        ('''' || replace(replace(found.lexeme, '\\', '\\\\'), '''', '''''') || '''')::tsquery as term
      from asked cross join lateral (
        select lexeme from unnest(to_tsvector('english', asked.text)) order by positions[1] limit ${wordsPerQuery}) found),
    frequency as materialized (
      select collection_id, lexeme, (select count(*) from passage_words w
        where w.tenant = ${tenant} and w.collection_id = word.collection_id and w.words @@ word.term)::float8 as matches
      from (select distinct collection_id, lexeme, term from word where mode <> 'VECTOR') word),
    weighted as (
      select word.ordinal, word.term, word.filtered, matches,
        ln(1 + (passages - matches + 0.5) / (matches + 0.5)) as weight,
        sum(matches) over (partition by word.ordinal order by matches, word.lexeme
          rows between unbounded preceding and 1 preceding) as matched_before
      from word join size using (collection_id) left join frequency on frequency.collection_id = word.collection_id
        and frequency.lexeme = word.lexeme and word.mode <> 'VECTOR'),
    lexical_query as materialized (
      select ordinal,
        array_agg(term) filter (where matches > 0) as terms,
        array_agg(weight) filter (where matches > 0) as weights,
        string_agg(term::text, ' | ') filter (where matches > 0 and
          (filtered or coalesce(matched_before, 0) < ${enoughMatches}))::tsquery as candidates,
        string_agg(term::text, ' | ')::tsquery as marked
      from weighted group by ordinal)`;
}

/** The idf-weighted sum of ts_rank over the terms of `query`; document length counts by its logarithm. */
export function lexicalScore(words: SQL): SQL {
  return sql`(select sum(part.weight * ts_rank('{0.5, 0.5, 0.5, 1}'::float4[], ${words}, part.term, 1))
    from unnest(query.terms, query.weights) as part(term, weight))`;
}

/** The common table expression `lexical (ordinal, passage_id, document_id, score)`: the best passages by their words. */
export function lexicalPassages(tenant: string, groups: readonly FilterGroup[]): SQL {
  return sql`lexical as materialized (${union(groups.map((group) => branch(tenant, group)))})`;
}

function branch(tenant: string, { group, condition }: FilterGroup): SQL {
  const filter =
    condition &&
    sql`and exists (select from documents
      where documents.tenant = ${tenant} and documents.id = w.document_id and ${condition})`;
  return sql`select query.ordinal, found.* from query cross join lateral (
      select w.passage_id, w.document_id, ${lexicalScore(sql`w.words`)} as score from passage_words w
      where w.tenant = ${tenant} and w.collection_id = query.collection_id and w.words @@ query.candidates ${filter ?? sql``}
      order by score desc, w.passage_id limit ${candidates}) found
    where query.filter_group = ${group} and query.candidates is not null`;
}
