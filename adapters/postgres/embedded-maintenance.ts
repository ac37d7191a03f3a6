import type { Database } from './database.ts';
import { sql } from './drizzle.ts';

/** PostgreSQL's own thresholds: 50 rows and a tenth (a fifth) of the table. */
const due = sql`select relid::regclass::text as name,
    n_dead_tup > 50 + 0.2 * n_live_tup or n_ins_since_vacuum > 1000 + 0.2 * n_live_tup as vacuum
  from pg_stat_user_tables
  where n_dead_tup > 50 + 0.2 * n_live_tup
    or n_ins_since_vacuum > 1000 + 0.2 * n_live_tup
    or n_mod_since_analyze > 50 + 0.1 * n_live_tup`;

interface DueTable {
  readonly name: string;
  readonly vacuum: boolean;
}

/**
 * What PostgreSQL's autovacuum does, which PGlite has no process for: statistics, without which searches are planned badly
 * (five to ten times slower at 10,000 passages), and the space of deleted rows. One table at a time; each is a statement among the
 * others on the one connection. Returns a function that ends it.
 */
export function maintain(database: Database, intervalMs: number): () => void {
  const stop = new AbortController();
  let running = false;
  const timer = setInterval(async () => {
    if (running) return;
    running = true;
    try {
      await maintainOnce(database, stop.signal);
    } catch {
      // What is wrong with the database shows in its health; the next round tries again.
    } finally {
      running = false;
    }
  }, intervalMs);
  timer.unref();
  return () => {
    stop.abort();
    clearInterval(timer);
  };
}

export async function maintainOnce(database: Database, signal?: AbortSignal): Promise<void> {
  const tables = await database.query<DueTable>('maintenance-due', due, signal);
  for (const { name, vacuum } of tables) {
    // A name as regclass prints it: quoted where it has to be.
    const command = vacuum ? 'vacuum (analyze)' : 'analyze';
    await database.query('maintenance', sql`${sql.raw(command)} ${sql.raw(name)}`, signal);
  }
}
