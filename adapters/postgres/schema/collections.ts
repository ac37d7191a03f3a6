import { integer, pgTable, primaryKey, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core';

export const collections = pgTable(
  'collections',
  {
    tenant: text('tenant').notNull(),
    id: uuid('id').notNull(),
    name: text('name').notNull(),
    embeddingModel: text('embedding_model').notNull(),
    dimensions: integer('dimensions').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    unique('collections_name').on(table.tenant, table.name),
  ],
);
