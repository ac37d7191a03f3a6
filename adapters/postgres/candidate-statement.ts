import type { CandidateQuery } from '../../core/contracts/recommendation-index.ts';
import { documentVectorColumn, firstOfDocument } from './document-vectors.ts';
import { type SQL, sql } from './drizzle.ts';
import { type FilterGroup, filterGroups } from './filter-groups.ts';
import { enoughForIndex, nearestPassages, union } from './nearest-passages.ts';
import { askedProfiles, ownInteractions } from './taste-statement.ts';
import { vectorParameters } from './vector-parameter.ts';

/** Many that a profile knows may lie just where its taste is: so many more are read than it needs. */
const mostKnown = 500;
/** What is only new comes after all that is near or popular. */
const afterAll = 1_000_000;

export interface CandidateRow {
  readonly ordinal: number;
  readonly document_id: string;
  readonly popularity: number | null;
  readonly vector: string | null;
}

/**
 * The candidates of all profiles in one statement: a LATERAL over the unnested profiles for the popular and the new, and one over
 * their vectors for the near. Each source has its own order; the places in them mix the sources.
 */
export function candidateStatement(
  tenant: string,
  queries: readonly CandidateQuery[],
  longestIndexedVector: number,
): SQL {
  const { groups, groupOf } = filterGroups(queries);
  const vectors = queries.flatMap((query, page) => query.vectors.map((vector) => ({ page, vector })));
  const dimensions = vectors.map(({ vector }) => vector.length).filter((length) => length <= longestIndexedVector);
  return sql`with asked as materialized (
      select asked.*, asked.take + least(${mostKnown}, (
          select count(*) from interactions i where ${ownInteractions(tenant)} and i.kind <> 'VIEW')) as most
      from unnest(${askedProfiles(queries)},
        ${sql.param(queries.map(({ limit }) => limit))}::int[], ${sql.param(groupOf)}::int[]
      ) as asked(ordinal, profile_id, collection_id, take, filter_group)),
    known as materialized (
      -- With an offset it is looked up for each profile; without, all interactions there are might be read and joined.
      select distinct asked.ordinal, i.document_id from asked
      cross join lateral (
        select i.document_id from interactions i where ${ownInteractions(tenant)} and i.kind <> 'VIEW' offset 0) i),
    size as materialized (
      select collection_id, (select count(*) from (select from passage_vectors v
        where v.tenant = ${tenant} and v.collection_id = own.collection_id limit ${enoughForIndex(groups)}) v)::float8 as passages
      from (select distinct collection_id from asked) own),
    query as materialized (
      select vector.ordinal, asked.ordinal as page, asked.collection_id, asked.filter_group, asked.most, vector.embedding,
        vector_dims(vector.embedding) as dimensions, size.passages, null::uuid as excluded_id
      from unnest(
        ${sql.param(vectors.map((_, index) => index))}::int[], ${sql.param(vectors.map(({ page }) => page))}::int[],
        ${vectorParameters(vectors.map(({ vector }) => vector))}) as vector(ordinal, page, embedding)
      join asked on asked.ordinal = vector.page join size using (collection_id)),
    ${nearestPassages(tenant, dimensions, groups, sql`query.most`)},
    near as (
      select query.page as ordinal, nearest.document_id,
        row_number() over (partition by nearest.ordinal order by nearest.similarity desc, nearest.passage_id) as place
      from nearest join query using (ordinal)),
    popular as (${union(groups.map((group) => popularBranch(tenant, group)))}),
    new as (${union(groups.map((group) => newBranch(tenant, group)))}),
    pool as (
      select ordinal, document_id, min(place) as place from (
        select ordinal, document_id, place from near
        union all select ordinal, document_id, 2 * place from popular
        union all select ordinal, document_id, ${afterAll} + place from new) pool
      group by ordinal, document_id),
    placed as (
      select pool.*, row_number() over (partition by ordinal order by place, document_id) as nth
      from pool where not exists (
        select from known where known.ordinal = pool.ordinal and known.document_id = pool.document_id)),
    candidate as materialized (
      select placed.ordinal, placed.nth, placed.document_id, asked.collection_id
      from placed join asked using (ordinal) where placed.nth <= asked.take)
    select candidate.ordinal, candidate.document_id,
      (select p.level from document_popularity p
        where p.tenant = ${tenant} and p.document_id = candidate.document_id) as popularity,
      ${documentVectorColumn(
        tenant,
        sql`candidate.document_id`,
        sql`candidate.collection_id`,
        firstOfDocument(sql`candidate.document_id`, sql`candidate.ordinal`),
      )} as vector
    from candidate order by candidate.ordinal, candidate.nth`;
}

function popularBranch(tenant: string, { group, condition }: FilterGroup): SQL {
  const filter =
    condition &&
    sql`and exists (select from documents
      where documents.tenant = ${tenant} and documents.id = p.document_id and ${condition})`;
  return sql`select asked.ordinal, p.document_id,
      row_number() over (partition by asked.ordinal order by p.level desc, p.document_id) as place
    from asked cross join lateral (
      select p.document_id, p.level from document_popularity p
      where p.tenant = ${tenant} and p.collection_id = asked.collection_id ${filter ?? sql``}
      order by p.level desc limit asked.most) p
    where asked.filter_group = ${group}`;
}

function newBranch(tenant: string, { group, condition }: FilterGroup): SQL {
  return sql`select asked.ordinal, d.id as document_id,
      row_number() over (partition by asked.ordinal order by d.updated_at desc, d.id desc) as place
    from asked cross join lateral (
      select documents.id, documents.updated_at from documents
      where documents.tenant = ${tenant} and documents.collection_id = asked.collection_id
        ${condition ? sql`and ${condition}` : sql``}
      order by documents.updated_at desc, documents.id desc limit asked.most) d
    where asked.filter_group = ${group}`;
}
