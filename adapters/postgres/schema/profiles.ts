import {
  doublePrecision,
  foreignKey,
  index,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { documents } from './documents.ts';

export const profiles = pgTable(
  'profiles',
  {
    tenant: text('tenant').notNull(),
    id: uuid('id').notNull(),
    externalId: text('external_id').notNull(),
    interests: text('interests').array().notNull(),
    metadata: jsonb('metadata').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    unique('profiles_external_id').on(table.tenant, table.externalId),
  ],
);

export const interactions = pgTable(
  'interactions',
  {
    tenant: text('tenant').notNull(),
    /** The client's, or made for it. */
    id: uuid('id').notNull(),
    profileId: uuid('profile_id').notNull(),
    collectionId: uuid('collection_id').notNull(),
    documentId: uuid('document_id').notNull(),
    kind: text('kind').notNull(),
    at: timestamp('at', { withTimezone: true }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    index('interactions_of_profile').on(table.tenant, table.profileId, table.collectionId, table.kind, table.at),
    // For what goes with a document, and for whether a person has done this with it before.
    index('interactions_with_document').on(table.tenant, table.documentId, table.profileId, table.kind),
    foreignKey({
      name: 'interactions_profile',
      columns: [table.tenant, table.profileId],
      foreignColumns: [profiles.tenant, profiles.id],
    }).onDelete('cascade'),
    foreignKey({
      name: 'interactions_document',
      columns: [table.tenant, table.documentId],
      foreignColumns: [documents.tenant, documents.id],
    }).onDelete('cascade'),
  ],
);

/** How many people have lately done something with a document: a level, see core/recommend/popularity.ts. */
export const documentPopularity = pgTable(
  'document_popularity',
  {
    tenant: text('tenant').notNull(),
    collectionId: uuid('collection_id').notNull(),
    documentId: uuid('document_id').notNull(),
    level: doublePrecision('level').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.documentId] }),
    index('document_popularity_highest').on(table.tenant, table.collectionId, table.level),
    foreignKey({
      name: 'document_popularity_document',
      columns: [table.tenant, table.documentId],
      foreignColumns: [documents.tenant, documents.id],
    }).onDelete('cascade'),
  ],
);
