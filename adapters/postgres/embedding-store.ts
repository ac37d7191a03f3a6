import type { EmbeddingKey, EmbeddingStore } from '../../core/contracts/embedding-store.ts';
import type { Database } from './database.ts';
import { type SQL, sql } from './drizzle.ts';

interface FoundRow {
  readonly place: number;
  readonly vector: Buffer;
  readonly tokens: number;
}

const purgedAtOnce = 5_000;

export function postgresEmbeddingStore(database: Database): EmbeddingStore {
  return {
    async find(keys, signal) {
      if (keys.length === 0) return [];
      const rows = await database.query<FoundRow>(
        'find-embeddings',
        sql`select entry.place, cache.vector, cache.tokens from ${entries(keys)} join embedding_cache as cache on ${isEntry}`,
        signal,
      );
      const found = new Map(rows.map(({ place, vector, tokens }) => [place, { vector: floatsOf(vector), tokens }]));
      return keys.map((_, place) => found.get(place) ?? null);
    },

    async save(embeddings) {
      if (embeddings.length === 0) return;
      const rows = embeddings.map(({ vector, ...entry }) => ({ ...entry, vector: base64Of(vector) }));
      await database.query(
        'save-embeddings',
        sql`insert into embedding_cache (tenant, model, dimensions, hash, vector, tokens)
          select tenant, model, dimensions, decode(hash, 'base64'), decode(vector, 'base64'), tokens from ${entries(rows)}
          order by 1, 2, 3, 4
          on conflict do nothing`,
      );
    },

    async touch(keys) {
      if (keys.length === 0) return;
      // Rows that another instance is at are touched by it.
      await database.query(
        'touch-embeddings',
        sql`with stale as (
            select cache.ctid from ${entries(keys)} join embedding_cache as cache on ${isEntry}
            where cache.last_used < clock_timestamp() - interval '1 day'
            for update of cache skip locked
          )
          update embedding_cache set last_used = clock_timestamp() from stale where embedding_cache.ctid = stale.ctid`,
      );
    },

    async purge({ unusedForMs, keep }) {
      const [row] = await database.query<{ purged: number }>(
        'purge-embeddings',
        sql`with bound as (
            select greatest(
              clock_timestamp() - ${unusedForMs}::double precision * interval '1 millisecond',
              (select last_used from embedding_cache order by last_used desc offset ${keep}::int limit 1)) as last_used
          ), old as (
            select cache.ctid from embedding_cache as cache, bound where cache.last_used <= bound.last_used
            order by cache.last_used limit ${purgedAtOnce}::int for update of cache skip locked
          ), purged as (
            delete from embedding_cache using old where embedding_cache.ctid = old.ctid returning 1
          )
          select count(*)::int as purged from purged`,
      );
      return row?.purged ?? 0;
    },
  };
}

function entries(keys: readonly EmbeddingKey[]): SQL {
  const rows = JSON.stringify(keys.map((key, place) => ({ ...key, place })));
  return sql`jsonb_to_recordset(${rows}::jsonb) as entry(
    place int, tenant text, model text, dimensions int, hash text, vector text, tokens int)`;
}

const isEntry: SQL = sql`cache.tenant = entry.tenant and cache.model = entry.model
  and cache.dimensions = entry.dimensions and cache.hash = decode(entry.hash, 'base64')`;

/** A copy: the driver's buffer is larger, and need not begin where a float may. */
function floatsOf({ buffer, byteOffset, byteLength }: Buffer): Float32Array {
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

function base64Of({ buffer, byteOffset, byteLength }: Float32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}
