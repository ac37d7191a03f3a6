import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { Page, Slice } from '../../core/contracts/page.ts';
import { type SQL, sql } from './drizzle.ts';

/**
 * Keyset pages of lists that are ordered by creation, newest first, then by id. A key is [microseconds since the epoch
 * as text, id]: a Date holds milliseconds only, and would skip or repeat rows of one millisecond.
 */
export type NewestFirstKey = readonly [createdAt: string, id: string];

/** A timestamptz as text, to its last digit. */
export function microseconds(column: SQL): SQL {
  return sql`(extract(epoch from ${column}) * 1000000)::bigint::text`;
}

export function dateOf(microsecondsText: string): Date {
  return new Date(Number(microsecondsText) / 1000);
}

/** `and …`: what comes after the page's key in a list of these two columns; nothing for the first page. */
export function afterKey(createdAt: SQL, id: SQL, page: Page): SQL {
  if (page.after === null) return sql``;
  const [micros, lastId] = parseKey(page.after);
  return sql`and (${createdAt}, ${id}) < ('epoch'::timestamptz + ${micros}::bigint * interval '1 microsecond', ${lastId})`;
}

/** Takes the rows of a statement that asked for one more than the page, to see whether there are more. */
export function sliceOf<Row extends { readonly created_at: string }, T>(
  rows: readonly Row[],
  page: Page,
  itemOf: (row: Row) => T,
  idOf: (row: Row) => string,
): Slice<T> {
  const items = rows.slice(0, page.first).map((row) => ({ item: itemOf(row), key: [row.created_at, idOf(row)] }));
  return { items, hasNext: rows.length > page.first };
}

function parseKey(key: readonly (string | number)[]): NewestFirstKey {
  const [micros, id, ...rest] = key;
  const wellFormed =
    typeof micros === 'string' &&
    /^\d{1,16}$/.test(micros) &&
    Number.isSafeInteger(Number(micros)) &&
    rest.length === 0;
  if (wellFormed && typeof id === 'string') return [micros, id];
  throw new GatewayError('BAD_INPUT', `after: expected a cursor of this list, got the key ${JSON.stringify(key)}`);
}
