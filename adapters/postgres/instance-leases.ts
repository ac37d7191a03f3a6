import type { StoredRunStore } from '../../core/contracts/run-store.ts';
import type { Database } from './database.ts';
import { type SQL, sql } from './drizzle.ts';
import { hasNotEnded, isParked, underWay } from './run-rows.ts';

/** Any number, as long as every process uses the same: instances enter one after the other. */
const entryLock = 7_236_002;

interface HeartbeatRow {
  readonly lapsed: boolean;
  readonly instances: number;
  readonly tenant: string | null;
  readonly run_id: string | null;
  readonly cancel_reason: string | null;
}

/** Who is alive on this database. All times are the database's. */
export function instanceLeases(
  database: Database,
): Pick<StoredRunStore, 'enter' | 'heartbeat' | 'stillOwned' | 'requestCancel' | 'leave'> {
  return {
    enter: ({ instance, leaseMs }, { alone, others }) =>
      database.transaction('instance-enter', async (transaction) => {
        await transaction.query('instance-enter-lock', sql`select pg_advisory_xact_lock(${entryLock})`);
        if (others === 'dead') {
          await transaction.query(
            'instances-dead',
            sql`update instances set lease_until = '-infinity' where id <> ${instance} and lease_until > '-infinity'`,
          );
        }
        const [other] = await transaction.query<{ instance: string; alone: boolean }>(
          'instance-in-the-way',
          sql`select id as instance, alone from instances
            where id <> ${instance} and lease_until > clock_timestamp() and (alone or ${alone}) limit 1`,
        );
        if (other !== undefined) return other;
        await transaction.query(
          'instance-insert',
          sql`insert into instances (id, alone, lease_until) values (${instance}, ${alone}, ${inMs(leaseMs)})
            on conflict (id) do update set alone = excluded.alone, lease_until = excluded.lease_until`,
        );
        return null;
      }),

    async heartbeat({ instance, leaseMs }) {
      // Locked before it is read: an instance that is taking over from this one holds the row until its takeover is visible.
      const rows = await database.query<HeartbeatRow>(
        'instance-heartbeat',
        sql`with before as (
            select id, lease_until < clock_timestamp() as lapsed from instances where id = ${instance} for update
          ), beat as (
            update instances set lease_until = ${inMs(leaseMs)} from before where instances.id = before.id
            returning before.lapsed
          )
          select own.lapsed, own.instances, runs.tenant, runs.run_id, runs.cancel_reason
          from (select coalesce((select lapsed from beat), true) as lapsed,
            (select count(*) from instances where lease_until > clock_timestamp())::int as instances) own
          left join runs on runs.instance = ${instance} and ${underWay} and runs.cancel_reason is not null`,
      );
      const cancels = rows.flatMap(({ tenant, run_id, cancel_reason }) =>
        tenant === null || run_id === null || cancel_reason === null
          ? []
          : [{ key: { tenant, runId: run_id }, reason: cancel_reason }],
      );
      return { lapsed: rows[0]?.lapsed ?? true, cancels, instances: rows[0]?.instances ?? 1 };
    },

    async stillOwned(runs) {
      if (runs.length === 0) return [];
      const [tenants, runIds, attempts] = [
        runs.map((run) => run.tenant),
        runs.map((run) => run.runId),
        runs.map((run) => run.attempt),
      ];
      return await database.query(
        'runs-still-owned',
        sql`select runs.tenant, runs.run_id as "runId", runs.attempt
          from unnest(${sql.param(tenants)}::text[], ${sql.param(runIds)}::text[], ${sql.param(attempts)}::int[])
            as own (tenant, run_id, attempt)
          join runs on runs.tenant = own.tenant and runs.run_id = own.run_id and runs.attempt = own.attempt
          where ${underWay} and runs.instance is not null`,
      );
    },

    async requestCancel({ tenant, runId }, reason) {
      const rows = await database.query(
        'run-request-cancel',
        sql`update runs set cancel_reason = coalesce(runs.cancel_reason, ${reason}), parked_at = null,
            status = case when ${isParked} then 'RUNNING' else runs.status end
          where runs.tenant = ${tenant} and runs.run_id = ${runId} and ${hasNotEnded} returning runs.run_id`,
      );
      return rows.length > 0;
    },

    async leave(instance) {
      await database.query(
        'instance-leave',
        sql`update instances set lease_until = '-infinity' where id = ${instance}`,
      );
    },
  };
}

function inMs(leaseMs: number): SQL {
  return sql`clock_timestamp() + ${leaseMs}::int * interval '1 millisecond'`;
}
