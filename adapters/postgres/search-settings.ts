/** How many of each leg are scored together. 50 to 400 rank the same. */
export const candidates = 100;

/** Up to so many passages, reading all of a collection is as fast as an index, and exact. */
export const readWhole = 2_000;

/**
 * - ef_search, iterative_scan: an HNSW index yields its nearest first and knows no tenant, collection or filter; it has to go
 *   on until enough of its rows pass.
 * - enable_sort: without statistics PostgreSQL believes that few rows pass, and prefers to sort them all to reading the
 *   HNSW index in its order. Only that choice is affected: what must be sorted still is.
 * - jit: what the line above does to cost estimates would have PostgreSQL compile every search.
 */
export const searchSettings = {
  'hnsw.ef_search': candidates * 2,
  'hnsw.iterative_scan': 'relaxed_order',
  enable_sort: 'off',
  jit: 'off',
} as const;
