import type { Queryable } from './database.ts';
import { sql } from './drizzle.ts';

/** An HNSW index of pgvector takes no longer vectors; longer ones are compared one by one. */
export const longestIndexedVector = 2_000;

/** Taken while an index is made, so that two collections made at once do not both make it. */
const indexLock = 7_236_002;

/** Inside a transaction: makes the index over vectors of this length unless it is there, in the form of the migrations. */
export async function ensureVectorIndex(transaction: Queryable, dimensions: number): Promise<void> {
  if (dimensions > longestIndexedVector) return;
  const name = `passage_vectors_nearest_${dimensions}`;
  const existing = sql`select to_regclass(${name}::text) is not null as present`;
  const [found] = await transaction.query<{ present: boolean }>('vector-index-look-up', existing);
  if (found?.present) return;
  await transaction.query('vector-index-lock', sql`select pg_advisory_xact_lock(${indexLock}::bigint)`);
  const length = sql.raw(String(dimensions));
  await transaction.query(
    'vector-index-create',
    sql`create index if not exists ${sql.identifier(name)} on passage_vectors
      using hnsw ((embedding::vector(${length})) vector_cosine_ops) where dimensions = ${length}`,
  );
}
