import { bigint, boolean, doublePrecision, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core';

/** Sums by tenant, model and minute. `cost_usd` is null as soon as one call's price was unknown. */
export const usage = pgTable(
  'usage',
  {
    tenant: text('tenant').notNull(),
    model: text('model').notNull(),
    minute: timestamp('minute', { withTimezone: true }).notNull(),
    inputTokens: bigint('input_tokens', { mode: 'number' }).notNull(),
    cachedInputTokens: bigint('cached_input_tokens', { mode: 'number' }).notNull(),
    outputTokens: bigint('output_tokens', { mode: 'number' }).notNull(),
    calls: bigint('calls', { mode: 'number' }).notNull(),
    costUsd: doublePrecision('cost_usd'),
    estimated: boolean('estimated').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.minute, table.model] })],
);
