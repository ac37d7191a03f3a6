import type { CheckpointStore } from '../../core/contracts/checkpoint-store.ts';
import type { RunKey } from '../../core/contracts/event-log.ts';
import type { Json } from '../../core/contracts/filter.ts';
import type { Database } from './database.ts';
import { type SQL, sql } from './drizzle.ts';
import { ownedRun } from './run-rows.ts';

export function postgresCheckpointStore(database: Database): CheckpointStore {
  return {
    async save(run, key, value) {
      const { tenant, runId } = run;
      const rows = await database.query(
        'checkpoint-save',
        sql`with owned as (${ownedRun(run)}), saved as (
            insert into run_checkpoints (tenant, run_id, key, value)
            select ${tenant}, ${runId}, ${key}, ${JSON.stringify(value)}::json from owned
            on conflict (tenant, run_id, key) do nothing
          )
          select run_id from owned`,
      );
      return rows.length > 0;
    },

    async read({ tenant, runId }) {
      const rows = await database.query<{ key: string; value: Json }>(
        'checkpoints-read',
        sql`select key, value from run_checkpoints where tenant = ${tenant} and run_id = ${runId}`,
      );
      return new Map(rows.map(({ key, value }) => [key, value]));
    },
  };
}

/** For the statement that ends a run: `ended` gives a row when it did. */
export function deleteCheckpoints({ tenant, runId }: RunKey, ended: SQL): SQL {
  return sql`delete from run_checkpoints using ${ended}
    where run_checkpoints.tenant = ${tenant} and run_checkpoints.run_id = ${runId}`;
}
