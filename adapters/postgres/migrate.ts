import { fileURLToPath } from 'node:url';
import type { Pool } from 'pg';
import { drizzle, runMigrations } from './drizzle.ts';

const migrationsFolder = fileURLToPath(new URL('./migrations', import.meta.url));
/** Any number, as long as every process uses the same: the lock that instances starting together take in turn. */
const migrationLock = 7_236_001;
const lockTimeoutMs = 300_000;

/**
 * Brings the tables up to date, once, however many processes start together.
 *
 * The lock is of the transaction, not of the session: it needs one connection only (PGlite has no second one) and holds
 * through a transaction-mode pooler. Drizzle's migrator begins and commits by itself; its inner BEGIN has no effect in an open
 * transaction, its COMMIT ends ours, so that the lock and the migrations go together.
 */
export async function migrate(pool: Pool): Promise<void> {
  const client = await pool.connect();
  let failed = false;
  // A connection that breaks emits as well as rejecting; unheard, that would end the process.
  const onError = () => {};
  client.on('error', onError);
  try {
    await client.query('begin');
    await client.query(`set local lock_timeout = ${lockTimeoutMs}`);
    // A server's statement_timeout is meant for queries; building an index over all that is stored may take longer.
    await client.query('set local statement_timeout = 0');
    await client.query('select pg_advisory_xact_lock($1)', [migrationLock]);
    await runMigrations(drizzle(client), { migrationsFolder });
  } catch (error) {
    failed = true;
    throw error;
  } finally {
    // After a failure the connection's state is unknown: drop it, which rolls back.
    client.off('error', onError);
    client.release(failed);
  }
}
