import type { NewMessage } from '../../core/contracts/conversation-store.ts';
import type { RunKey } from '../../core/contracts/event-log.ts';
import {
  isEnd,
  type NewRun,
  type RunFilter,
  type RunPatch,
  type RunRecord,
  type StoredRunStore,
} from '../../core/contracts/run-store.ts';
import { deleteCheckpoints } from './checkpoint-store.ts';
import { claimWithTurn } from './claim-turn.ts';
import type { Database, Queryable } from './database.ts';
import { type SQL, sql } from './drizzle.ts';
import { insertMessage } from './insert-message.ts';
import { instanceLeases } from './instance-leases.ts';
import { afterKey, sliceOf } from './newest-first.ts';
import { purgeRuns } from './purge-runs.ts';
import { assignments, hasNotEnded, insertRun, type RunRow, runColumns, runOf, underWay } from './run-rows.ts';
import { takeovers } from './takeovers.ts';

/** Runs in PostgreSQL, with the conversations they write. */
export function postgresRunStore(database: Database): StoredRunStore {
  return {
    ...instanceLeases(database),
    ...takeovers(database),

    async claim(run, turn, instance) {
      const created =
        turn === null
          ? await claimAlone(database, run, instance)
          : await database.transaction('run-claim', (transaction) => claimWithTurn(transaction, run, turn, instance));
      if (created !== null) return { run: created, created: true };
      const [existing] = await byRunIds(database, run.tenant, [run.runId]);
      if (existing === undefined) throw new Error(`run ${run.runId} was taken, and is gone`);
      return { run: existing, created: false };
    },

    async input(key) {
      const [row] = await database.query<{ input: unknown }>(
        'run-input',
        sql`select input from runs where tenant = ${key.tenant} and run_id = ${key.runId}`,
      );
      return row?.input ?? null;
    },

    byRunIds: (tenant, runIds, signal) => byRunIds(database, tenant, runIds, signal),

    async list(tenant, filter, page, signal) {
      const rows = await database.query<RunRow>(
        'runs-list',
        sql`select ${runColumns} from runs where runs.tenant = ${tenant} ${conditions(filter)}
          ${afterKey(sql`runs.created_at`, sql`runs.run_id`, page)}
          order by runs.created_at desc, runs.run_id desc limit ${page.first + 1}`,
        signal,
      );
      return sliceOf(rows, page, runOf, (row) => row.run_id);
    },

    async underWay(tenant, conversationId) {
      const rows = await database.query<RunRow>(
        'runs-under-way',
        sql`select ${runColumns} from runs
          where runs.tenant = ${tenant} and runs.conversation_id = ${conversationId} and ${hasNotEnded}`,
      );
      return rows.map(runOf);
    },

    purge: (options) => purgeRuns(database, options),

    async update(key, attempt, patch, reply) {
      if (patch.status === 'QUEUED') throw new Error(`run ${key.runId}: a run never goes back to QUEUED`);
      const rows = await database.query('run-update', updateRun(key, attempt, patch, reply));
      return rows.length > 0;
    },
  };
}

async function claimAlone(database: Queryable, run: NewRun, instance: string): Promise<RunRecord | null> {
  const [row] = await database.query<RunRow>('run-claim', insertRun(run, instance));
  return row === undefined ? null : runOf(row);
}

async function byRunIds(
  database: Queryable,
  tenant: string,
  runIds: readonly string[],
  signal?: AbortSignal,
): Promise<readonly RunRecord[]> {
  if (runIds.length === 0) return [];
  const rows = await database.query<RunRow>(
    'runs-by-ids',
    sql`select ${runColumns} from runs where runs.tenant = ${tenant} and runs.run_id = any(${sql.param(runIds)}::text[])`,
    signal,
  );
  return rows.map(runOf);
}

function conditions({ kinds, status, user }: RunFilter): SQL {
  return sql.join([
    ...(kinds === undefined ? [] : [sql`and runs.kind = any(${sql.param([...kinds])}::text[]) `]),
    ...(status === undefined ? [] : [sql`and runs.status = ${status} `]),
    ...(user === undefined ? [] : [sql`and runs.end_user = ${user} `]),
  ]);
}

/**
 * One statement, so one transaction, with one row if the attempt still owns the run. The reply hangs on that row, and on
 * its conversation, which it bumps and thereby locks: if that was deleted meanwhile, the run ends and the reply is gone.
 */
function updateRun(key: RunKey, attempt: number, patch: RunPatch, reply: NewMessage | undefined): SQL {
  const { tenant, runId } = key;
  const owned = sql`update runs set ${assignments(patch)}
    where runs.tenant = ${tenant} and runs.run_id = ${runId} and runs.attempt = ${attempt} and ${underWay}
    returning runs.run_id`;
  const parts = [sql`owned as (${owned})`];
  if (patch.status !== undefined && isEnd(patch.status))
    parts.push(sql`forgotten as (${deleteCheckpoints(key, sql`owned`)})`);
  if (reply !== undefined) {
    parts.push(sql`bumped as (
      update conversations set updated_at = clock_timestamp() from owned
      where conversations.tenant = ${tenant} and conversations.id = ${reply.conversationId}
      returning conversations.id
    ), written as (${insertMessage(tenant, reply, sql`bumped`)})`);
  }
  return sql`with ${sql.join(parts, sql`, `)} select run_id from owned`;
}
