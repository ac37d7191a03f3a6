import type { Queryable } from './database.ts';
import { type SQL, sql } from './drizzle.ts';

/** pgvector indexes no longer ones at full precision. */
export const longestFullVector = 2_000;
/** Nor longer ones at half of it. */
export const longestHalfVector = 4_000;

/** Taken while an index is made, so that two collections made at once do not both make it. */
const indexLock = 7_236_002;

/**
 * What the index of vectors of this length is over; a statement finds the index through the same expression. Half precision
 * only where there would be no index otherwise: it halves the index and finds the same, but takes longer to compare
 * (docs/decisions/0004). What an index has found is compared again at full precision.
 */
export function indexedVector(vector: SQL, dimensions: number): SQL {
  return sql`${vector}::${sql.raw(`${typeOf(dimensions)}(${dimensions})`)}`;
}

function typeOf(dimensions: number): 'vector' | 'halfvec' {
  return dimensions <= longestFullVector ? 'vector' : 'halfvec';
}

/** Inside a transaction: makes the index over vectors of this length unless it is there, in the form of the migrations. */
export async function ensureVectorIndex(transaction: Queryable, dimensions: number, longest: number): Promise<void> {
  if (dimensions > longest) return;
  const name = `passage_vectors_nearest_${dimensions}`;
  const existing = sql`select to_regclass(${name}::text) is not null as present`;
  const [found] = await transaction.query<{ present: boolean }>('vector-index-look-up', existing);
  if (found?.present) return;
  await transaction.query('vector-index-lock', sql`select pg_advisory_xact_lock(${indexLock}::bigint)`);
  await transaction.query(
    'vector-index-create',
    sql`create index if not exists ${sql.identifier(name)} on passage_vectors
      using hnsw ((${indexedVector(sql`embedding`, dimensions)}) ${sql.raw(`${typeOf(dimensions)}_cosine_ops`)})
      where dimensions = ${sql.raw(String(dimensions))}`,
  );
}
