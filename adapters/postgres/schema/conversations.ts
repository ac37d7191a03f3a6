import { sql } from 'drizzle-orm';
import { foreignKey, index, json, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core';

/** Ids are unique within their tenant, and every key begins with it: no statement can cross tenants by an id alone. */
export const conversations = pgTable(
  'conversations',
  {
    tenant: text('tenant').notNull(),
    id: text('id').notNull(),
    title: text('title'),
    endUser: text('end_user'),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().default(sql`clock_timestamp()`),
    updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().default(sql`clock_timestamp()`),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    index('conversations_by_age').on(table.tenant, table.createdAt, table.id),
    index('conversations_by_user').on(table.tenant, table.endUser, table.createdAt, table.id),
  ],
);

/**
 * A tree by `parent_id`. What SQL never looks into is `json`, not `jsonb`: it keeps the order of keys and every character.
 *
 * No foreign key on `parent_id`: single messages are never deleted, and checking one would take one more index.
 */
export const messages = pgTable(
  'messages',
  {
    tenant: text('tenant').notNull(),
    id: text('id').notNull(),
    conversationId: text('conversation_id').notNull(),
    parentId: text('parent_id'),
    role: text('role').notNull(),
    parts: json('parts').notNull(),
    object: json('object'),
    citations: json('citations').notNull(),
    verification: json('verification'),
    finishReason: text('finish_reason'),
    model: text('model'),
    usage: json('usage'),
    /** Strictly rising within a conversation (see insert-message.ts), so its newest message is one, and has no child. */
    createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    foreignKey({
      columns: [table.tenant, table.conversationId],
      foreignColumns: [conversations.tenant, conversations.id],
    }).onDelete('cascade'),
    index('messages_by_conversation').on(table.tenant, table.conversationId, table.createdAt, table.id),
  ],
);
