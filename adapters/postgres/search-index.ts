import type { SearchIndex } from '../../core/contracts/search-index.ts';
import { ArrivingHits, type PlacedHitRow } from './arriving-hits.ts';
import type { Database } from './database.ts';
import { type HitRow, hitsByQuery } from './hit-rows.ts';
import { searchSettings } from './search-settings.ts';
import { searchStatement } from './search-statement.ts';
import { similarStatement } from './similar-statement.ts';

/** Full text by a GIN index, vectors by HNSW, both in PostgreSQL with pgvector. */
export function postgresSearchIndex(database: Database): SearchIndex {
  return {
    search(tenant, queries, signal) {
      if (queries.length === 0) return [];
      const arriving = new ArrivingHits(queries.length);
      const statement = searchStatement(tenant, queries, database.longestIndexedVector);
      database
        .read<PlacedHitRow>('search', searchSettings, statement, signal, (row) => arriving.add(row))
        .then(() => arriving.end())
        .catch((error: unknown) => arriving.fail(error));
      return arriving.ofEach();
    },

    async similar(tenant, documentIds, first, signal) {
      if (documentIds.length === 0) return [];
      const statement = similarStatement(tenant, documentIds, first, database.longestIndexedVector);
      return hitsByQuery(await database.read<HitRow>('similar', searchSettings, statement, signal), documentIds.length);
    },
  };
}
