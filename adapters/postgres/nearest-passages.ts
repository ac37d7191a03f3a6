import { type SQL, sql } from './drizzle.ts';
import type { FilterGroup } from './filter-groups.ts';
import { candidates, readWhole } from './search-settings.ts';
import { indexedVector } from './vector-indexes.ts';

/** With a filter the index may have to give back most of what it finds. */
const readWholeFiltered = 20_000;

/** A collection need not be counted beyond: with so many passages it is the index that is asked, whatever the filter. */
export function enoughForIndex(groups: readonly FilterGroup[]): number {
  return (groups.some(({ condition }) => condition !== null) ? readWholeFiltered : readWhole) + 1;
}

/** The common table expression `nearest (ordinal, passage_id, document_id, similarity)`: `nearestOfQuery` for each row of `query`. */
export function nearestPassages(...of: Parameters<typeof nearestOfQuery>): SQL {
  return sql`nearest as materialized (
    select query.ordinal, found.* from query cross join lateral (${nearestOfQuery(...of)}) found)`;
}

/**
 * The subquery (passage_id, document_id, similarity), in the LATERAL of one row of `query`: its nearest passages. `query` has
 * collection_id, embedding, dimensions (null: no vector), passages (how many its collection has), filter_group and excluded_id
 * (a document that is left out, or null).
 *
 * `dimensions` are the lengths of vectors that have an index. The index of a vector length is only found through the literal
 * length, hence one branch for each. It covers all tenants and collections, so that a small one in a large table, or a rare
 * filter, can come back short: then, and where there is little to read, every vector is compared.
 *
 * `most` is how many passages at most; it may name columns of `query`.
 */
export function nearestOfQuery(
  tenant: string,
  dimensions: readonly number[],
  groups: readonly FilterGroup[],
  most: SQL = sql`${candidates}`,
): SQL {
  const approximate = [...new Set(dimensions)].flatMap((length) =>
    groups.map((group) => approximateBranch(tenant, length, group, most)),
  );
  const exact = groups.map((group) => exactBranch(tenant, group, most));
  return sql`with approximate as materialized (${approximate.length > 0 ? union(approximate) : nothing})
    select * from (
      ${union(exact)} union all
      select * from approximate where (select count(*) from approximate) >= ${most}) found
    -- A vector of zeros has no direction: its similarity to anything is NaN, which would rank above all.
    where similarity <> 'NaN'`;
}

export function union(branches: readonly SQL[]): SQL {
  return sql.join([...branches], sql` union all `);
}

const nothing = sql`select null::uuid as passage_id, null::uuid as document_id, null::float8 as similarity where false`;

function approximateBranch(tenant: string, dimensions: number, { group, condition }: FilterGroup, most: SQL): SQL {
  const length = sql.raw(String(dimensions));
  const stored = indexedVector(sql`v.embedding`, dimensions);
  const asked = indexedVector(sql`query.embedding`, dimensions);
  // As a subquery it is checked on the way, row by row; a join might be done first, and the index's order lost.
  const filter =
    condition &&
    sql`and (select ${condition} from documents where documents.tenant = ${tenant} and documents.id = v.document_id)`;
  return sql`(select v.passage_id, v.document_id, 1 - (v.embedding <=> query.embedding) as similarity from passage_vectors v
    where v.tenant = ${tenant} and v.collection_id = query.collection_id and v.dimensions = ${length}
      and v.document_id is distinct from query.excluded_id ${filter ?? sql``}
      and query.dimensions = ${length} and query.filter_group = ${group}
      and query.passages > ${condition ? readWholeFiltered : readWhole}
    order by ${stored} <=> ${asked} limit ${most})`;
}

function exactBranch(tenant: string, { group, condition }: FilterGroup, most: SQL): SQL {
  const filter =
    condition &&
    sql`and exists (select from documents
      where documents.tenant = ${tenant} and documents.id = v.document_id and ${condition})`;
  // Ordered by its own column: an expression of it would be computed beside the order, twice for every vector.
  return sql`select passage_id, document_id, 1 - distance as similarity from (
      select v.passage_id, v.document_id, v.embedding <=> query.embedding as distance from passage_vectors v
      where v.tenant = ${tenant} and v.collection_id = query.collection_id and v.dimensions = query.dimensions
        and v.document_id is distinct from query.excluded_id ${filter ?? sql``}
        and query.filter_group = ${group} and (select count(*) from approximate) < ${most}
      order by distance, v.passage_id limit ${most}) compared`;
}
