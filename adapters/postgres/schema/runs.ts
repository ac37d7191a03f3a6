import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  index,
  integer,
  json,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
} from 'drizzle-orm/pg-core';

/**
 * One row per stored run; its id is the client's, unique within the tenant.
 *
 * `conversation_id` has no foreign key: a run outlives its conversation, and reads join to see whether it is still
 * there. `on delete set null` would also lock runs after their conversation, the other way round than a reply does.
 */
export const runs = pgTable(
  'runs',
  {
    tenant: text('tenant').notNull(),
    runId: text('run_id').notNull(),
    kind: text('kind').notNull(),
    status: text('status').notNull(),
    attempt: integer('attempt').notNull(),
    /** Who executes it; null when it was given back. */
    instance: text('instance'),
    /** How often its instance died. */
    losses: integer('losses').notNull().default(0),
    whenUnwatched: text('when_unwatched').notNull().default('FINISH'),
    timeoutMs: integer('timeout_ms'),
    cancelReason: text('cancel_reason'),
    inputHash: text('input_hash').notNull(),
    /** No foreign key: a run outlives its key's row, and a claim shall not lock that. */
    keyId: text('key_id'),
    /** `json`, not `jsonb`: a run is executed from it, and jsonb would reorder the keys of a response schema. */
    input: json('input'),
    /** W3C Trace Context of its start: a run that is taken over goes on with its trace. */
    traceparent: text('traceparent'),
    endUser: text('end_user'),
    metadata: jsonb('metadata').notNull(),
    conversationId: text('conversation_id'),
    detail: json('detail').notNull(),
    usage: json('usage').notNull(),
    error: json('error'),
    lastSeq: integer('last_seq'),
    /** Since when it waits for an answer; null: it does not. */
    parkedAt: timestamp('parked_at', { withTimezone: true }),
    /** How long it has waited before. */
    parkedMs: bigint('parked_ms', { mode: 'number' }).notNull().default(0),
    /** It waited for too long: whoever takes it over ends it. */
    waitExpired: boolean('wait_expired').notNull().default(false),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().default(sql`clock_timestamp()`),
    startedAt: timestamp('started_at', { withTimezone: true }),
    finishedAt: timestamp('finished_at', { withTimezone: true }),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.runId] }),
    index('runs_by_age').on(table.tenant, table.createdAt, table.runId),
    index('runs_of_conversation').on(table.tenant, table.conversationId),
    index('runs_by_end').on(table.finishedAt).where(sql`${table.finishedAt} is not null`),
    index('runs_by_user').on(table.tenant, table.endUser, table.createdAt, table.runId),
    index('runs_under_way').on(table.tenant, table.conversationId).where(sql`${table.status} in ('QUEUED', 'RUNNING')`),
    index('runs_parked').on(table.parkedAt).where(sql`${table.parkedAt} is not null`),
    index('runs_of_instance').on(table.instance).where(sql`${table.status} in ('QUEUED', 'RUNNING')`),
  ],
);
