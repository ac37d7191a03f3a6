import { sql } from 'drizzle-orm';
import type { Database } from '../../adapters/postgres/database.ts';
import type { SearchMode } from '../../core/contracts/search-index.ts';
import type { RankingGateway } from './gateway.ts';

/** How many documents a ranking lists; the measures look at the first ten. */
const depth = 10;

/** Ranks the collection's documents for one query: externalIds, best first. `ms` leaves the query's embedding out. */
export interface Ranking {
  readonly name: string;
  rank(query: {
    readonly text: string;
    readonly vector: Float32Array;
  }): Promise<{ ranked: readonly string[]; ms: number }>;
}

/** What the gateway does, through the contract that its resolvers use too. */
export function gatewayRanking(gateway: RankingGateway, name: string, mode: SearchMode): Ranking {
  return {
    name,
    async rank({ text, vector }) {
      const started = performance.now();
      const searching = gateway.searchIndex.search(gateway.tenant, [
        {
          collectionId: gateway.collectionId,
          text,
          vector: mode === 'KEYWORD' ? null : vector,
          mode,
          filter: null,
          perDocument: 1,
          offset: 0,
          limit: depth,
        },
      ]);
      const [hits = []] = await Promise.all(searching);
      const ms = performance.now() - started;
      return { ranked: hits.map((hit) => hit.document.externalId), ms };
    },
  };
}

/** What PostgreSQL does out of the box: all words must be there, `ts_rank` orders. Same passages, same weights of title and text. */
export function plainRanking(database: Database, gateway: RankingGateway): Ranking {
  return {
    name: 'plain websearch_to_tsquery',
    async rank({ text }) {
      const started = performance.now();
      const rows = await database.query<{ external_id: string }>(
        'bench-plain-ranking',
        sql`select documents.external_id, max(ts_rank(passage_words.words, asked.query)) as score
          from websearch_to_tsquery('english', ${text}) as asked(query), passage_words
          join documents on documents.tenant = passage_words.tenant and documents.id = passage_words.document_id
          where passage_words.tenant = ${gateway.tenant} and passage_words.collection_id = ${gateway.collectionId}::uuid
            and passage_words.words @@ asked.query
          group by documents.external_id
          order by score desc, documents.external_id limit ${depth}`,
      );
      return { ranked: rows.map((row) => row.external_id), ms: performance.now() - started };
    },
  };
}
