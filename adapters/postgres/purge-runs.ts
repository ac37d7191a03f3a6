import type { RunKey } from '../../core/contracts/event-log.ts';
import type { Database } from './database.ts';
import { sql } from './drizzle.ts';
import { underWay } from './run-rows.ts';

/** Any number, as long as every process uses the same: who holds it purges. */
const purgeLock = 7_236_003;

/** One batch. The lock is the transaction's: it goes with whoever dies at it. */
export function purgeRuns(
  database: Database,
  { endedBeforeMs, limit }: { readonly endedBeforeMs: number; readonly limit: number },
): Promise<readonly RunKey[] | null> {
  return database.transaction('purge', async (transaction) => {
    const [lock] = await transaction.query<{ held: boolean }>(
      'purge-lock',
      sql`select pg_try_advisory_xact_lock(${purgeLock}) as held`,
    );
    if (lock?.held !== true) return null;
    // An instance must be known for as long as a run says that it has it: otherwise nobody would find that run.
    await transaction.query(
      'purge-instances',
      sql`delete from instances where lease_until < clock_timestamp() - interval '1 day'
        and not exists (select from runs where runs.instance = instances.id and ${underWay})`,
    );
    return await transaction.query<RunKey>(
      'purge-runs',
      sql`with old as (
          select tenant, run_id from runs
          where finished_at is not null and finished_at < clock_timestamp() - ${endedBeforeMs}::double precision * interval '1 millisecond'
          order by finished_at limit ${limit}::int
        )
        delete from runs using old where runs.tenant = old.tenant and runs.run_id = old.run_id
        returning runs.tenant, runs.run_id as "runId"`,
    );
  });
}
