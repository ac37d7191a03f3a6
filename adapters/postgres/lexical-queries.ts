import { type SQL, sql } from './drizzle.ts';
import { readWhole } from './search-settings.ts';

/** Words of one query that are looked at, in their order; each costs a count over the collection. */
const wordsPerQuery = 64;
/**
 * Rarer words come first; once those that went before match so many passages, a word only scores and no longer brings in
 * passages of its own: a word that is nearly everywhere would have nearly everything ranked.
 */
const enoughMatches = 1_000;
/**
 * Scores of words are whole numbers of these, finer than ts_rank is: whatever their order, a sum is exact, and equal passages get
 * equal scores. What one word adds fits into 32 bits: a rank is at most 1, a weight in e^31 passages at most 31.
 */
export const scoreSteps = 2 ** 26;

/** How well one term fits: document length counts by its logarithm. */
const rank = (words: SQL, term: SQL): SQL => sql`ts_rank('{0.5, 0.5, 0.5, 1}'::float4[], ${words}, ${term}, 1)`;
/** In steps; `weight` is in steps as well. */
export const wordScore = (weight: SQL, value: SQL): SQL => sql`(${weight} * ${value})::int`;

/**
 * Common table expressions over `asked` (ordinal, collection_id, text, mode, filtered):
 *
 * - `size (collection_id, passages)`
 * - `lexical_query (ordinal, terms, weights, candidates)`: each term with its inverse document frequency,
 *   ln(1 + (N − df + ½) / (df + ½)), counted over the whole collection; the terms that bring in passages, null where the
 *   collection is read whole. No row for a query without words.
 * - `weighted (ordinal, term_id, term, weight, brings_in, passage_ids, ranks)`, weights in steps: of collections that are read
 *   whole, every passage that has the term, and how well it fits. What a term finds is found once for all queries that have it:
 *   common words are in most of them.
 *
 * Words become queries once, here: a cast inside a LATERAL would be made for every row.
 */
export function lexicalQueries(tenant: string): SQL {
  const matches = sql`w.tenant = ${tenant} and w.collection_id = term.collection_id and w.words @@ term.term`;
  return sql`size as materialized (
      select collection_id, (select count(*) from passage_words w
        where w.tenant = ${tenant} and w.collection_id = asked.collection_id)::float8 as passages
      from (select distinct collection_id from asked) asked),
    word as materialized (
      select asked.ordinal, asked.collection_id, asked.filtered, found.lexeme,
        dense_rank() over (order by asked.collection_id, found.lexeme)::int as term_id
      from asked cross join lateral (
        select lexeme from unnest(to_tsvector('english', asked.text)) order by positions[1] limit ${wordsPerQuery}) found
      where asked.mode <> 'VECTOR'),
    term as materialized (
      select term_id, collection_id, passages,
        ('''' || replace(replace(lexeme, '\\', '\\\\'), '''', '''''') || '''')::tsquery as term
      from (select distinct term_id, collection_id, lexeme from word) word join size using (collection_id)),
    posting as materialized (
      select term_id, term, passages, found.* from term cross join lateral (
        select count(*)::float8 as matches, array_agg(w.passage_id) as passage_ids,
          array_agg(${rank(sql`w.words`, sql`term.term`)}) as ranks
        from passage_words w where ${matches}) found
      where passages <= ${readWhole}
      union all
      select term_id, term, passages, (select count(*) from passage_words w where ${matches}), null, null
      from term where passages > ${readWhole}),
    weighted as materialized (
      select word.ordinal, term_id, term, passage_ids, ranks, passages > ${readWhole} as by_index,
        ${scoreSteps} * ln(1 + (passages - matches + 0.5) / (matches + 0.5)) as weight,
        word.filtered or coalesce(sum(matches) over (partition by word.ordinal order by matches, word.lexeme
          rows between unbounded preceding and 1 preceding), 0) < ${enoughMatches} as brings_in
      from word join posting using (term_id)
      where matches > 0),
    lexical_query as materialized (
      select ordinal, array_agg(term order by term_id) as terms, array_agg(weight order by term_id) as weights,
        string_agg(term::text, ' | ') filter (where brings_in and by_index)::tsquery as candidates
      from weighted group by ordinal)`;
}

/** The idf-weighted sum of ts_rank over the terms of `query`, in steps. */
export function lexicalScore(words: SQL): SQL {
  return sql`(select sum(${wordScore(sql`part.weight`, rank(words, sql`part.term`))})
    from unnest(query.terms, query.weights) as part(term, weight))`;
}
