import type { DocumentRecord, DocumentStore, PassageRecord } from '../../core/contracts/document-store.ts';
import type { Database } from './database.ts';
import { listDocuments, listPassages } from './document-lists.ts';
import { documentColumns, passageColumns } from './document-rows.ts';
import { writeDocuments } from './document-writer.ts';
import { sql } from './drizzle.ts';
import { filterCondition } from './metadata-filter.ts';
import { unembeddedPassages, writeVectors } from './unembedded-passages.ts';
import { uuidsIn } from './uuid.ts';

export function postgresDocumentStore(database: Database): DocumentStore {
  return {
    byIds: (tenant, ids, signal) =>
      database.query<DocumentRecord>(
        'documents-by-ids',
        sql`select ${documentColumns} from documents
          where tenant = ${tenant} and id = any(${sql.param(uuidsIn(ids))}::uuid[])`,
        signal,
      ),

    byExternalIds: (tenant, collectionId, externalIds, signal) =>
      database.query<DocumentRecord>(
        'documents-by-external-ids',
        sql`select ${documentColumns} from documents
          where tenant = ${tenant} and collection_id = any(${sql.param(uuidsIn([collectionId]))}::uuid[])
            and external_id = any(${sql.param([...externalIds])}::text[])`,
        signal,
      ),

    async contentHashes(tenant, collectionId, externalIds, signal) {
      const rows = await database.query<{ external_id: string; content_hash: string }>(
        'documents-content-hashes',
        sql`select external_id, content_hash from documents
          where tenant = ${tenant} and collection_id = any(${sql.param(uuidsIn([collectionId]))}::uuid[])
            and external_id = any(${sql.param([...externalIds])}::text[])`,
        signal,
      );
      return new Map(rows.map((row) => [row.external_id, row.content_hash]));
    },

    write: (tenant, collectionId, documents, signal) =>
      writeDocuments(database, tenant, collectionId, documents, signal),

    listIn: (tenant, collectionIds, page, filter, signal) =>
      listDocuments(database, tenant, collectionIds, page, filter, signal),

    async delete(tenant, collectionId, selection) {
      const condition =
        'filter' in selection
          ? filterCondition(selection.filter, sql`metadata`)
          : sql`external_id = any(${sql.param([...selection.externalIds])}::text[])`;
      const [deleted] = await database.query<{ count: number }>(
        'documents-delete',
        sql`with gone as (
            delete from documents
            where tenant = ${tenant} and collection_id = any(${sql.param(uuidsIn([collectionId]))}::uuid[]) and ${condition}
            returning 1)
          select count(*)::int as count from gone`,
      );
      return deleted?.count ?? 0;
    },

    passagesByIds: (tenant, ids, signal) =>
      database.query<PassageRecord>(
        'passages-by-ids',
        sql`select ${passageColumns} from passages
          where tenant = ${tenant} and id = any(${sql.param(uuidsIn(ids))}::uuid[])`,
        signal,
      ),

    passagesOf: (tenant, documentIds, page, signal) => listPassages(database, tenant, documentIds, page, signal),

    unembedded: (limit, after) => unembeddedPassages(database, limit, after),

    writeVectors: (tenant, vectors) => writeVectors(database, tenant, vectors),
  };
}
