import type { Database, Queryable } from './database.ts';
import { sql } from './drizzle.ts';

/** How many of each leg are scored together. 50 to 400 rank the same. */
export const candidates = 100;

/** Up to so many passages, reading all of a collection is as fast as an index, and exact. */
export const readWhole = 2_000;

/**
 * For the length of the transaction, so that it also holds behind a transaction-mode pooler.
 *
 * - ef_search, iterative_scan: an HNSW index yields its nearest first and knows no tenant, collection or filter; it has to go
 *   on until enough of its rows pass.
 * - enable_sort: without statistics PostgreSQL believes that few rows pass, and prefers to sort them all to reading the
 *   HNSW index in its order. Only that choice is affected: what must be sorted still is.
 * - jit: what the line above does to cost estimates would have PostgreSQL compile every search.
 */
const settings = sql`select set_config('hnsw.ef_search', ${String(candidates * 2)}, true),
  set_config('hnsw.iterative_scan', 'relaxed_order', true),
  set_config('enable_sort', 'off', true),
  set_config('jit', 'off', true)`;

export function withSearchSettings<T>(
  database: Database,
  name: string,
  work: (transaction: Queryable) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  return database.transaction(
    name,
    async (transaction) => {
      await transaction.query('search-settings', settings);
      return await work(transaction);
    },
    signal,
  );
}
