import { randomUUID } from 'node:crypto';
import type { CollectionRecord, CollectionStore } from '../../core/contracts/collection-store.ts';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { Page } from '../../core/contracts/page.ts';
import type { Database } from './database.ts';
import { type SQL, sql } from './drizzle.ts';
import { isUniqueViolation } from './sql-error.ts';
import { uuidsIn } from './uuid.ts';
import { ensureVectorIndex } from './vector-indexes.ts';

/** What pgvector's type can hold. */
const longestVector = 16_000;

const columns = sql`collections.tenant, collections.id, collections.name,
  collections.embedding_model as "embeddingModel", collections.dimensions, collections.created_at as "createdAt"`;

export function postgresCollectionStore(database: Database): CollectionStore {
  function select(name: string, condition: SQL, signal?: AbortSignal): Promise<CollectionRecord[]> {
    return database.query<CollectionRecord>(name, sql`select ${columns} from collections where ${condition}`, signal);
  }

  return {
    async create(tenant, { name, embeddingModel, dimensions }) {
      if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > longestVector) {
        throw new GatewayError('BAD_INPUT', `dimensions: expected 1–${longestVector}, got ${dimensions}`);
      }
      try {
        return await database.transaction('collection-create', async (transaction) => {
          const [created] = await transaction.query<CollectionRecord>(
            'collection-insert',
            sql`insert into collections (tenant, id, name, embedding_model, dimensions)
              values (${tenant}, ${randomUUID()}, ${name}, ${embeddingModel}, ${dimensions}) returning ${columns}`,
          );
          if (!created) throw new GatewayError('INTERNAL', 'collection-insert returned no row');
          await ensureVectorIndex(transaction, dimensions, database.longestIndexedVector);
          return created;
        });
      } catch (error) {
        throw isUniqueViolation(error) ? nameTaken(name, error) : error;
      }
    },

    byIds: (tenant, ids, signal) =>
      select('collections-by-ids', sql`tenant = ${tenant} and id = any(${sql.param(uuidsIn(ids))}::uuid[])`, signal),

    byNames: (tenant, names, signal) =>
      select('collections-by-names', sql`tenant = ${tenant} and name = any(${sql.param([...names])}::text[])`, signal),

    async list(tenant, page, signal) {
      const after = nameAfter(page);
      const rows = await select(
        'collections-list',
        sql`tenant = ${tenant} ${after === null ? sql`` : sql`and name collate "C" > ${after}::text`}
          order by name collate "C" limit ${page.first + 1}`,
        signal,
      );
      return {
        items: rows.slice(0, page.first).map((item) => ({ item, key: [item.name] })),
        hasNext: rows.length > page.first,
      };
    },

    async counts(tenant, ids, signal) {
      const rows = await database.query<{ id: string; documents: number; passages: number }>(
        'collections-counts',
        sql`select id,
            (select count(*) from documents d where d.tenant = c.tenant and d.collection_id = c.id)::int as documents,
            (select count(*) from passage_words w where w.tenant = c.tenant and w.collection_id = c.id)::int as passages
          from collections c where tenant = ${tenant} and id = any(${sql.param(uuidsIn(ids))}::uuid[])`,
        signal,
      );
      return new Map(rows.map(({ id, documents, passages }) => [id, { documents, passages }]));
    },

    async rename(tenant, id, name) {
      try {
        const renamed = await database.query(
          'collection-rename',
          sql`update collections set name = ${name} where tenant = ${tenant} and id = any(${sql.param(uuidsIn([id]))}::uuid[])
            returning id`,
        );
        return renamed.length > 0;
      } catch (error) {
        throw isUniqueViolation(error) ? nameTaken(name, error) : error;
      }
    },

    async delete(tenant, name) {
      // The count sees what was there before the statement, so before the deletion that it is part of.
      const [deleted] = await database.query<{ documents: number }>(
        'collection-delete',
        sql`with gone as (delete from collections where tenant = ${tenant} and name = ${name} returning tenant, id)
          select (select count(*) from documents d where d.tenant = gone.tenant and d.collection_id = gone.id)::int
            as documents from gone`,
      );
      return deleted?.documents ?? null;
    },
  };
}

const nameTaken = (name: string, cause: unknown): GatewayError =>
  new GatewayError('CONFLICT', `the collection ${name} already exists`, { cause });

function nameAfter(page: Page): string | null {
  if (page.after === null) return null;
  const [name, ...rest] = page.after;
  if (typeof name === 'string' && rest.length === 0) return name;
  throw new GatewayError(
    'BAD_INPUT',
    `after: expected a cursor of this list, got the key ${JSON.stringify(page.after)}`,
  );
}
