import type { StoredRunStore, TakenRun, UnwatchedPolicy } from '../../core/contracts/run-store.ts';
import type { Database } from './database.ts';
import { sql } from './drizzle.ts';
import { jsonText } from './insert-message.ts';
import { type RunRow, runColumns, runOf, underWay } from './run-rows.ts';

interface TakenRow extends RunRow {
  readonly input: unknown;
  readonly when_unwatched: UnwatchedPolicy;
  readonly left_ms: number | null;
  readonly cancel_reason: string | null;
  readonly wait_expired: boolean;
  readonly traceparent: string | null;
}

/** Runs that change their instance. */
export function takeovers(database: Database): Pick<StoredRunStore, 'takeOver' | 'release'> {
  return {
    async takeOver(instance, { abandoned, limit, maxLosses, error }) {
      const leftAlone =
        abandoned === 'all'
          ? sql`runs.instance is distinct from ${instance}`
          : // An array, not a subquery: only so does the index of instances serve both sides of the `or`.
            sql`(runs.instance is null or runs.instance = any(array(select id from dead)))`;
      // A loss is the death of an instance; a run that was given back has none.
      const losses = sql`runs.losses + (runs.instance is not null)::int`;
      const isLost = sql`${losses} >= ${maxLosses}::int`;
      const rows = await database.query<TakenRow>(
        'runs-take-over',
        // The dead are locked, so that one which wakes up does not renew its lease while its runs are being taken. Not those who
        // left nothing: they stay for a day, and a lock is a write.
        sql`with dead as (
            select id from instances where lease_until < clock_timestamp() and id <> ${instance}
              and exists (select from runs where runs.instance = instances.id and ${underWay})
            for update skip locked
          ), taken as (
            select runs.tenant, runs.run_id from runs where ${underWay} and ${leftAlone}
            order by runs.created_at limit ${limit}::int for update skip locked
          )
          update runs set attempt = runs.attempt + 1, instance = ${instance}, losses = ${losses},
            status = case when ${isLost} then 'FAILED' else runs.status end,
            error = case when ${isLost} then ${jsonText(error)}::json end,
            input = case when ${isLost} then null else runs.input end,
            finished_at = case when ${isLost} then clock_timestamp() end
          from taken where runs.tenant = taken.tenant and runs.run_id = taken.run_id
          returning ${runColumns}, runs.input, runs.when_unwatched, runs.cancel_reason, runs.wait_expired, runs.traceparent,
            (runs.timeout_ms + runs.parked_ms - extract(epoch from clock_timestamp() - coalesce(runs.started_at, clock_timestamp())) * 1000)::int
              as left_ms`,
      );
      const failed = rows.filter(({ status }) => status === 'FAILED').map(runOf);
      const taken = rows.filter(({ status }) => status !== 'FAILED').map(takenOf);
      return { taken, failed };
    },

    async release({ tenant, runId, attempt }) {
      const rows = await database.query(
        'run-release',
        sql`update runs set instance = null
          where runs.tenant = ${tenant} and runs.run_id = ${runId} and runs.attempt = ${attempt} and ${underWay}
          returning runs.run_id`,
      );
      return rows.length > 0;
    },
  };
}

function takenOf(row: TakenRow): TakenRun {
  return {
    run: runOf(row),
    input: row.input,
    whenUnwatched: row.when_unwatched,
    timeoutMs: row.left_ms === null ? null : Math.max(1, row.left_ms),
    cancelReason: row.cancel_reason,
    waitExpired: row.wait_expired,
    traceparent: row.traceparent,
  };
}
