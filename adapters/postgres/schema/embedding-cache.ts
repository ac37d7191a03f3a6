import { customType, index, integer, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core';

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });

/** Vectors by the hash of their text. `vector` is 32-bit floats, little-endian, stored as they are: they do not compress. */
export const embeddingCache = pgTable(
  'embedding_cache',
  {
    tenant: text('tenant').notNull(),
    model: text('model').notNull(),
    dimensions: integer('dimensions').notNull(),
    hash: bytea('hash').notNull(),
    vector: bytea('vector').notNull(),
    tokens: integer('tokens').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    lastUsed: timestamp('last_used', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.model, table.dimensions, table.hash] }),
    index('embedding_cache_last_used').on(table.lastUsed),
  ],
);
