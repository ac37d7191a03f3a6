import { sql } from 'drizzle-orm';
import { boolean, index, jsonb, pgTable, text, timestamp, uniqueIndex } from 'drizzle-orm/pg-core';

/** API keys, the revoked ones too: runs and costs name them. A secret is kept as its SHA-256 only. */
export const apiKeys = pgTable(
  'api_keys',
  {
    id: text('id').primaryKey(),
    tenant: text('tenant').notNull(),
    name: text('name').notNull(),
    /** Of the secret: a key is looked up by it, before its tenant is known. */
    prefix: text('prefix').notNull(),
    hash: text('hash').notNull(),
    scopes: text('scopes').array().notNull(),
    limits: jsonb('limits').notNull(),
    allowUnknownPrice: boolean('allow_unknown_price').notNull().default(false),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().default(sql`clock_timestamp()`),
    expiresAt: timestamp('expires_at', { withTimezone: true }),
    lastUsedAt: timestamp('last_used_at', { withTimezone: true }),
    revokedAt: timestamp('revoked_at', { withTimezone: true }),
  },
  (table) => [
    uniqueIndex('api_keys_by_prefix').on(table.prefix),
    uniqueIndex('api_keys_by_name').on(table.tenant, table.name).where(sql`${table.revokedAt} is null`),
    index('api_keys_by_age').on(table.tenant, table.createdAt, table.id),
  ],
);
