import { boolean, pgTable, text, timestamp } from 'drizzle-orm/pg-core';

/** The gateways on this database. One whose lease has expired is dead; its runs are there for the others to take. */
export const instances = pgTable('instances', {
  id: text('id').primaryKey(),
  /** Its log is its own: no other may execute or follow runs beside it. */
  alone: boolean('alone').notNull(),
  leaseUntil: timestamp('lease_until', { withTimezone: true }).notNull(),
});
