import type { DocumentRecord, PassageRecord } from '../../core/contracts/document-store.ts';
import { sql } from './drizzle.ts';

/** A document as a row of DocumentRecord. */
export const documentColumns = sql`documents.id, documents.collection_id as "collectionId",
  documents.external_id as "externalId", documents.title, documents.url, documents.metadata,
  documents.created_at as "createdAt", documents.updated_at as "updatedAt"`;
export type DocumentRow = DocumentRecord;

/** A passage as a row of PassageRecord. */
export const passageColumns = sql`passages.id, passages.document_id as "documentId", passages.position, passages.text`;
export type PassageRow = PassageRecord;
