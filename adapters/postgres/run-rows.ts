import {
  isEnd,
  type NewRun,
  type OwnedRun,
  type RunDetail,
  type RunPatch,
  type RunRecord,
  type RunStatus,
} from '../../core/contracts/run-store.ts';
import { noUsage } from '../../core/models/usage/usage-meter.ts';
import { type SQL, sql } from './drizzle.ts';
import { jsonText } from './insert-message.ts';
import { dateOf, microseconds } from './newest-first.ts';

/** As `runColumns` selects it. */
export interface RunRow {
  readonly tenant: string;
  readonly run_id: string;
  readonly status: RunStatus;
  readonly attempt: number;
  readonly input_hash: string;
  readonly key_id: string | null;
  readonly end_user: string | null;
  readonly metadata: RunRecord['metadata'];
  readonly detail: RunDetail;
  readonly conversation_id: string | null;
  readonly usage: RunRecord['usage'];
  readonly error: RunRecord['error'];
  readonly last_seq: number | null;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
}

/** A run's conversation is asked for by key: the run keeps the id of one that was deleted. */
export const runColumns = sql`runs.tenant, runs.run_id, runs.status, runs.attempt, runs.input_hash, runs.key_id, runs.end_user,
  runs.metadata, runs.detail, runs.usage, runs.error, runs.last_seq,
  (select conversations.id from conversations
    where conversations.tenant = runs.tenant and conversations.id = runs.conversation_id) as conversation_id,
  ${microseconds(sql`runs.created_at`)} as created_at,
  ${microseconds(sql`runs.started_at`)} as started_at,
  ${microseconds(sql`runs.finished_at`)} as finished_at`;

/** Some instance has it, or may take it. Word for word the condition of the index runs_under_way. */
export const underWay = sql`runs.status in ('QUEUED', 'RUNNING')`;
/** Waits for an answer. The first condition is word for word that of the index runs_parked. */
export const isParked = sql`(runs.parked_at is not null and runs.status in ('AWAITING_APPROVAL', 'AWAITING_TOOL_RESULT'))`;
export const hasNotEnded = sql`runs.status in ('QUEUED', 'RUNNING', 'AWAITING_APPROVAL', 'AWAITING_TOOL_RESULT')`;

/**
 * A run that this attempt owns and that has not ended; no row otherwise. The share lock keeps it so between the look at it and a write of
 * the same statement.
 */
export function ownedRun({ tenant, runId, attempt }: OwnedRun): SQL {
  return sql`select runs.run_id from runs
    where runs.tenant = ${tenant} and runs.run_id = ${runId} and runs.attempt = ${attempt} and ${underWay}
    for share`;
}

export function runOf(row: RunRow): RunRecord {
  const { detail } = row;
  return {
    tenant: row.tenant,
    runId: row.run_id,
    kind: detail.kind,
    status: row.status,
    attempt: row.attempt,
    inputHash: row.input_hash,
    keyId: row.key_id,
    stored: true,
    createdAt: dateOf(row.created_at),
    startedAt: row.started_at === null ? null : dateOf(row.started_at),
    finishedAt: row.finished_at === null ? null : dateOf(row.finished_at),
    usage: row.usage,
    error: row.error,
    user: row.end_user,
    metadata: row.metadata,
    detail: detail.kind === 'INGEST' ? detail : { ...detail, conversationId: row.conversation_id },
    lastSeq: row.last_seq,
  };
}

/** Claims the id: returns the new row, or none when the id is taken. Waits for a claim of the same id that is not committed. */
export function insertRun(run: NewRun, instance: string): SQL {
  return sql`insert into runs
      (tenant, run_id, kind, status, attempt, instance, when_unwatched, timeout_ms, input_hash, key_id, input, end_user, metadata,
        traceparent, conversation_id, detail, usage)
    values (${run.tenant}, ${run.runId}, ${run.detail.kind}, 'QUEUED', 1, ${instance}, ${run.whenUnwatched},
      ${run.timeoutMs}, ${run.inputHash}, ${run.keyId}, ${jsonText(run.input)}::json, ${run.user}, ${jsonText(run.metadata)}::jsonb,
      ${run.traceparent ?? null}, ${conversationIdOf(run.detail)}, ${jsonText(run.detail)}::json, ${jsonText(noUsage)}::json)
    on conflict (tenant, run_id) do nothing
    returning ${runColumns}`;
}

/** What a patch sets. An empty patch sets nothing new, but still asks whether its attempt owns the run. */
export function assignments(patch: RunPatch): SQL {
  const set = [sql`attempt = attempt`];
  if (patch.status !== undefined) set.push(sql`status = ${patch.status}`);
  if (patch.startedAt !== undefined) set.push(sql`started_at = ${patch.startedAt.toISOString()}::timestamptz`);
  if (patch.finishedAt !== undefined) set.push(sql`finished_at = ${patch.finishedAt.toISOString()}::timestamptz`);
  if (patch.usage !== undefined) set.push(sql`usage = ${jsonText(patch.usage)}::json`);
  if (patch.error !== undefined) set.push(sql`error = ${jsonText(patch.error)}::json`);
  if (patch.lastSeq !== undefined) set.push(sql`last_seq = ${patch.lastSeq}`);
  if (patch.detail !== undefined) {
    set.push(sql`detail = ${jsonText(patch.detail)}::json, conversation_id = ${conversationIdOf(patch.detail)}`);
  }
  if (patch.status === 'RUNNING' && patch.startedAt === undefined) {
    set.push(sql`started_at = coalesce(started_at, clock_timestamp())`);
  }
  if (patch.status !== undefined && isEnd(patch.status)) {
    set.push(sql`input = null`);
    if (patch.finishedAt === undefined) set.push(sql`finished_at = clock_timestamp()`);
  }
  return sql.join(set, sql`, `);
}

function conversationIdOf(detail: RunDetail): string | null {
  return detail.kind === 'INGEST' ? null : detail.conversationId;
}
