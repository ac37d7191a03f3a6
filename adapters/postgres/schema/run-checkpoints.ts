import { foreignKey, json, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { runs } from './runs.ts';

/** Work of a run that need not be done again. Its end deletes them; the foreign key is for a run that is purged without one. */
export const runCheckpoints = pgTable(
  'run_checkpoints',
  {
    tenant: text('tenant').notNull(),
    runId: text('run_id').notNull(),
    key: text('key').notNull(),
    /** `json`, not `jsonb`: it keeps every character and the order of keys. */
    value: json('value').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.runId, table.key] }),
    foreignKey({ columns: [table.tenant, table.runId], foreignColumns: [runs.tenant, runs.runId] }).onDelete('cascade'),
  ],
);
