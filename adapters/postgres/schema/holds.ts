import { bigint, date, index, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core';

/** What a key, or with the empty name its whole tenant, has used and holds, of one resource in one period. */
export const holdAccounts = pgTable(
  'hold_accounts',
  {
    tenant: text('tenant').notNull(),
    name: text('name').notNull(),
    resource: text('resource').notNull(),
    /** The UTC day; `infinity` for what is not counted by day. */
    day: date('day').notNull(),
    used: bigint('used', { mode: 'number' }).notNull().default(0),
    held: bigint('held', { mode: 'number' }).notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.name, table.resource, table.day] })],
);

/** What was set aside and is not settled. */
export const holds = pgTable(
  'holds',
  {
    tenant: text('tenant').notNull(),
    id: text('id').notNull(),
    resource: text('resource').notNull(),
    day: date('day').notNull(),
    /** The names of the accounts that bear it. */
    accounts: text('accounts').array().notNull(),
    amount: bigint('amount', { mode: 'number' }).notNull(),
    instance: text('instance').notNull(),
    /** Set when its instance seemed dead: nothing is held any more, but what was used may still be told. */
    reclaimedAt: timestamp('reclaimed_at', { withTimezone: true }),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.id] }), index('holds_of_instance').on(table.instance)],
);
