import {
  customType,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { collections } from './collections.ts';

export const documents = pgTable(
  'documents',
  {
    tenant: text('tenant').notNull(),
    id: uuid('id').notNull(),
    collectionId: uuid('collection_id').notNull(),
    externalId: text('external_id').notNull(),
    title: text('title'),
    url: text('url'),
    metadata: jsonb('metadata').notNull(),
    contentHash: text('content_hash').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    unique('documents_external_id').on(table.tenant, table.collectionId, table.externalId),
    index('documents_by_age').on(table.tenant, table.collectionId, table.updatedAt, table.id),
    foreignKey({
      name: 'documents_collection',
      columns: [table.tenant, table.collectionId],
      foreignColumns: [collections.tenant, collections.id],
    }).onDelete('cascade'),
  ],
);

export const passages = pgTable(
  'passages',
  {
    tenant: text('tenant').notNull(),
    /** Time-ordered (UUID version 7): `unembedded` walks passages oldest first by their ids. */
    id: uuid('id').notNull(),
    documentId: uuid('document_id').notNull(),
    position: integer('position').notNull(),
    text: text('text').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    unique('passages_position').on(table.tenant, table.documentId, table.position),
    foreignKey({
      name: 'passages_document',
      columns: [table.tenant, table.documentId],
      foreignColumns: [documents.tenant, documents.id],
    }).onDelete('cascade'),
  ],
);

const tsvector = customType<{ data: string }>({ dataType: () => 'tsvector' });
/** Of any length: collections of models with different vectors share the table, and have an index for each length. */
const vector = customType<{ data: string }>({ dataType: () => 'vector' });

/**
 * What search ranks by, apart from the texts: narrow rows make counting and scoring words twice as fast. The title has
 * weight A, the text D. Out-of-line and uncompressed by a migration, and indexed there.
 */
export const passageWords = pgTable(
  'passage_words',
  {
    tenant: text('tenant').notNull(),
    collectionId: uuid('collection_id').notNull(),
    documentId: uuid('document_id').notNull(),
    passageId: uuid('passage_id').notNull(),
    words: tsvector('words').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.passageId] }),
    index('passage_words_by_collection').on(table.tenant, table.collectionId),
    // Without a list of what is new, which every search would read through until the next vacuum.
    index('passage_words_search').using('gin', table.words).with({ fastupdate: false }),
    foreignKey({
      name: 'passage_words_passage',
      columns: [table.tenant, table.passageId],
      foreignColumns: [passages.tenant, passages.id],
    }).onDelete('cascade'),
  ],
);

export const passageVectors = pgTable(
  'passage_vectors',
  {
    tenant: text('tenant').notNull(),
    collectionId: uuid('collection_id').notNull(),
    documentId: uuid('document_id').notNull(),
    passageId: uuid('passage_id').notNull(),
    dimensions: integer('dimensions').notNull(),
    embedding: vector('embedding').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.passageId] }),
    index('passage_vectors_by_document').on(table.tenant, table.collectionId, table.documentId),
    foreignKey({
      name: 'passage_vectors_passage',
      columns: [table.tenant, table.passageId],
      foreignColumns: [passages.tenant, passages.id],
    }).onDelete('cascade'),
  ],
);

/** Passages whose vector is missing: a list of its own, since finding them by their absence would read every passage. */
export const unembeddedPassages = pgTable(
  'unembedded_passages',
  {
    passageId: uuid('passage_id').notNull(),
    tenant: text('tenant').notNull(),
  },
  (table) => [
    // The one table that is read across tenants: oldest first.
    primaryKey({ columns: [table.passageId, table.tenant] }),
    foreignKey({
      name: 'unembedded_passages_passage',
      columns: [table.tenant, table.passageId],
      foreignColumns: [passages.tenant, passages.id],
    }).onDelete('cascade'),
  ],
);
