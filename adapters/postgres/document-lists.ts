import type { DocumentRecord, PassageRecord } from '../../core/contracts/document-store.ts';
import type { Filter } from '../../core/contracts/filter.ts';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { Page, Slice } from '../../core/contracts/page.ts';
import type { Queryable } from './database.ts';
import { documentColumns, passageColumns } from './document-rows.ts';
import { type SQL, sql } from './drizzle.ts';
import { filterCondition } from './metadata-filter.ts';
import { afterKey, microseconds } from './newest-first.ts';
import { isUuid } from './uuid.ts';

type CountedSlice<T> = Slice<T> & { readonly totalCount: number };

/** One page of each parent: the parents that were asked for are unnested once, each with its count and its rows. */
interface PageRow {
  readonly ordinal: number;
  readonly total: number;
  /** Null in the single row of a parent whose page is empty. */
  readonly id: string | null;
}

export async function listDocuments(
  database: Queryable,
  tenant: string,
  collectionIds: readonly string[],
  page: Page,
  filter: Filter | null,
  signal?: AbortSignal,
): Promise<readonly CountedSlice<DocumentRecord>[]> {
  if (page.after !== null && !isUuid(page.after[1])) throw wrongKey(page);
  const rows = await database.query<PageRow & DocumentRecord & { readonly age: string }>(
    'documents-list',
    sql`select parent.ordinal, parent.total, child.* from (
        select ordinality::int as ordinal, parent.id, (
          select count(*)::int from documents
          where tenant = ${tenant} and collection_id = parent.id ${where(filter)}) as total
        from unnest(${parents(collectionIds)}) with ordinality as parent(id, ordinality)) parent
      left join lateral (
        select ${documentColumns}, ${microseconds(sql`documents.updated_at`)} as age from documents
        where tenant = ${tenant} and collection_id = parent.id ${where(filter)}
          ${afterKey(sql`documents.updated_at`, sql`documents.id`, page)}
        order by documents.updated_at desc, documents.id desc limit ${page.first + 1}) child on true
      order by parent.ordinal, child."updatedAt" desc, child.id desc`,
    signal,
  );
  return slices(rows, collectionIds.length, page, ({ ordinal, total, age, ...item }) => ({
    item,
    key: [age, item.id],
  }));
}

export async function listPassages(
  database: Queryable,
  tenant: string,
  documentIds: readonly string[],
  page: Page,
  signal?: AbortSignal,
): Promise<readonly CountedSlice<PassageRecord>[]> {
  const after = positionAfter(page);
  const rows = await database.query<PageRow & PassageRecord>(
    'passages-list',
    sql`select parent.ordinal, parent.total, child.* from (
        select ordinality::int as ordinal, parent.id, (
          select count(*)::int from passages where tenant = ${tenant} and document_id = parent.id) as total
        from unnest(${parents(documentIds)}) with ordinality as parent(id, ordinality)) parent
      left join lateral (
        select ${passageColumns} from passages
        where tenant = ${tenant} and document_id = parent.id and position > ${after}
        order by position limit ${page.first + 1}) child on true
      order by parent.ordinal, child.position`,
    signal,
  );
  return slices(rows, documentIds.length, page, ({ ordinal, total, ...item }) => ({ item, key: [item.position] }));
}

/** As long as `ids`, so that results keep their places; what cannot be an id finds nothing. */
function parents(ids: readonly string[]): SQL {
  return sql`${sql.param(ids.map((id) => (isUuid(id) ? id : null)))}::uuid[]`;
}

function where(filter: Filter | null): SQL {
  return filter === null ? sql`` : sql`and ${filterCondition(filter, sql`documents.metadata`)}`;
}

function slices<Row extends PageRow, T>(
  rows: readonly Row[],
  count: number,
  page: Page,
  slicedOf: (row: Row) => { item: T; key: (string | number)[] },
): CountedSlice<T>[] {
  const byParent = Map.groupBy(rows, (row) => row.ordinal);
  return Array.from({ length: count }, (_, index) => {
    const own = byParent.get(index + 1) ?? [];
    const present = own.filter((row) => row.id !== null);
    return {
      items: present.slice(0, page.first).map(slicedOf),
      hasNext: present.length > page.first,
      totalCount: own[0]?.total ?? 0,
    };
  });
}

function positionAfter(page: Page): number {
  if (page.after === null) return -1;
  const [position, ...rest] = page.after;
  if (typeof position === 'number' && Number.isInteger(position) && Math.abs(position) < 2 ** 31 && rest.length === 0)
    return position;
  throw wrongKey(page);
}

function wrongKey(page: Page): GatewayError {
  return new GatewayError(
    'BAD_INPUT',
    `after: expected a cursor of this list, got the key ${JSON.stringify(page.after)}`,
  );
}
