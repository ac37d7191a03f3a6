import type { SearchIndex } from '../../core/contracts/search-index.ts';
import type { Database } from './database.ts';
import { type HitRow, hitsByQuery } from './hit-rows.ts';
import { searchSettings } from './search-settings.ts';
import { searchStatement } from './search-statement.ts';
import { similarStatement } from './similar-statement.ts';

/** Full text by a GIN index, vectors by HNSW, both in PostgreSQL with pgvector. */
export function postgresSearchIndex(database: Database): SearchIndex {
  return {
    async search(tenant, queries, signal) {
      if (queries.length === 0) return [];
      const statement = searchStatement(tenant, queries, database.longestIndexedVector);
      return hitsByQuery(await database.read<HitRow>('search', searchSettings, statement, signal), queries.length);
    },

    async similar(tenant, documentIds, first, signal) {
      if (documentIds.length === 0) return [];
      const statement = similarStatement(tenant, documentIds, first, database.longestIndexedVector);
      return hitsByQuery(await database.read<HitRow>('similar', searchSettings, statement, signal), documentIds.length);
    },
  };
}
