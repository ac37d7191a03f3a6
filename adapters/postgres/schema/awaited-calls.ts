import { sql } from 'drizzle-orm';
import { foreignKey, integer, json, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core';
import { runs } from './runs.ts';

/** Tool calls that a person or an app is asked about; written once, and answered once. They go with their run. */
export const awaitedCalls = pgTable(
  'awaited_calls',
  {
    tenant: text('tenant').notNull(),
    runId: text('run_id').notNull(),
    callId: text('call_id').notNull(),
    round: integer('round').notNull(),
    /** The status that it parks its run in. */
    awaits: text('awaits').notNull(),
    tool: text('tool').notNull(),
    arguments: json('arguments').notNull(),
    parameters: json('parameters').notNull(),
    reason: text('reason'),
    answer: json('answer'),
    askedAt: timestamp('asked_at', { withTimezone: true }).notNull().default(sql`clock_timestamp()`),
    answeredAt: timestamp('answered_at', { withTimezone: true }),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.runId, table.callId, table.round] }),
    foreignKey({ columns: [table.tenant, table.runId], foreignColumns: [runs.tenant, runs.runId] }).onDelete('cascade'),
  ],
);
