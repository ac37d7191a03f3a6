import type { RunKey } from '../../core/contracts/event-log.ts';
import type { AwaitedCallRecord, ParkedRuns } from '../../core/contracts/parked-runs.ts';
import type { RunStatus } from '../../core/contracts/run-store.ts';
import type { Database } from './database.ts';
import { type SQL, sql } from './drizzle.ts';
import { jsonText } from './insert-message.ts';
import { assignments, hasNotEnded, isParked, ownedRun, underWay } from './run-rows.ts';

const callColumns = sql`awaited_calls.call_id as "callId", awaited_calls.round, awaited_calls.awaits, awaited_calls.tool,
  awaited_calls.arguments, awaited_calls.parameters, awaited_calls.reason, awaited_calls.answer`;

export function postgresParkedRuns(database: Database): ParkedRuns {
  return {
    async ask(run, { callId, round, awaits, tool, arguments: args, parameters, reason }) {
      const { tenant, runId } = run;
      const rows = await database.query(
        'call-ask',
        sql`with owned as (${ownedRun(run)}), asked as (
            insert into awaited_calls (tenant, run_id, call_id, round, awaits, tool, arguments, parameters, reason)
            select ${tenant}, ${runId}, ${callId}, ${round}::int, ${awaits}, ${tool}, ${JSON.stringify(args)}::json,
              ${JSON.stringify(parameters)}::json, ${reason} from owned
            on conflict (tenant, run_id, call_id, round) do nothing
          )
          select run_id from owned`,
      );
      return rows.length > 0;
    },

    calls: ({ tenant, runId }) =>
      database.query<AwaitedCallRecord>(
        'calls-of-run',
        sql`select ${callColumns} from awaited_calls where tenant = ${tenant} and run_id = ${runId}
          order by asked_at, call_id, round`,
      ),

    async unanswered(tenant, runIds, signal) {
      if (runIds.length === 0) return [];
      return await database.query<AwaitedCallRecord & { runId: string }>(
        'calls-unanswered',
        sql`select awaited_calls.run_id as "runId", ${callColumns} from awaited_calls
          join runs on runs.tenant = awaited_calls.tenant and runs.run_id = awaited_calls.run_id and ${hasNotEnded}
          where awaited_calls.tenant = ${tenant} and awaited_calls.run_id = any(${sql.param([...runIds])}::text[])
            and awaited_calls.answer is null
          order by asked_at, call_id, round`,
        signal,
      );
    },

    // The run is locked first, then looked at: a run that parks and its last answer cannot miss each other.
    answer: (key, callId, round, answer) =>
      database.transaction('call-answer', async (transaction) => {
        const { tenant, runId } = key;
        const [run] = await transaction.query<{ open: boolean }>(
          'run-lock',
          sql`select ${hasNotEnded} as open from runs where runs.tenant = ${tenant} and runs.run_id = ${runId} for update`,
        );
        const [call] = await transaction.query<{ answered: boolean }>(
          'call-look',
          sql`select answer is not null as answered from awaited_calls
            where tenant = ${tenant} and run_id = ${runId} and call_id = ${callId} and round = ${round}::int`,
        );
        if (run === undefined || call === undefined) return 'unknown';
        if (call.answered) return 'already';
        if (!run.open) return 'ended';
        await transaction.query(
          'call-answer',
          sql`update awaited_calls set answer = ${jsonText(answer)}::json, answered_at = clock_timestamp()
            where tenant = ${tenant} and run_id = ${runId} and call_id = ${callId} and round = ${round}::int`,
        );
        const waits = waitsFor(key);
        await transaction.query(
          'run-unpark',
          sql`update runs set status = coalesce(${waits}, 'RUNNING'),
              parked_ms = parked_ms + case when ${waits} is null
                then (extract(epoch from clock_timestamp() - parked_at) * 1000)::bigint else 0 end,
              parked_at = case when ${waits} is null then null else parked_at end
            where runs.tenant = ${tenant} and runs.run_id = ${runId} and ${isParked}`,
        );
        return 'taken';
      }),

    park: (run, patch) =>
      database.transaction('run-park', async (transaction) => {
        const { tenant, runId, attempt } = run;
        const owned = sql`runs.tenant = ${tenant} and runs.run_id = ${runId} and runs.attempt = ${attempt} and ${underWay}`;
        const locked = await transaction.query('run-lock', sql`select run_id from runs where ${owned} for update`);
        if (locked.length === 0) return 'lost';
        const status = sql`case when runs.cancel_reason is null then coalesce(${waitsFor(run)}, runs.status) else runs.status end`;
        const [row] = await transaction.query<{ status: RunStatus }>(
          'run-park',
          sql`update runs set ${assignments(patch)}, instance = null, status = ${status},
              parked_at = case when ${status} = runs.status then null else clock_timestamp() end
            where ${owned} returning status`,
        );
        return row?.status === 'RUNNING' || row?.status === 'QUEUED' ? 'claimable' : 'parked';
      }),

    async expire({ parkedForMs, limit }) {
      const rows = await database.query(
        'runs-expire',
        sql`with late as (
            select tenant, run_id from runs
            where ${isParked} and parked_at < clock_timestamp() - ${parkedForMs}::double precision * interval '1 millisecond'
            order by parked_at limit ${limit}::int for update skip locked
          )
          update runs set status = 'RUNNING', parked_at = null, wait_expired = true
          from late where runs.tenant = late.tenant and runs.run_id = late.run_id returning runs.run_id`,
      );
      return rows.length;
    },
  };
}

/** The status that the unanswered calls of a run park it in, approvals first; null when there are none. */
function waitsFor({ tenant, runId }: RunKey): SQL {
  return sql`(select min(awaited_calls.awaits) from awaited_calls
    where awaited_calls.tenant = ${tenant} and awaited_calls.run_id = ${runId} and awaited_calls.answer is null)`;
}
