import type { Candidate, Deed, RecommendationIndex, Taste } from '../../core/contracts/recommendation-index.ts';
import { type CandidateRow, candidateStatement } from './candidate-statement.ts';
import type { Database } from './database.ts';
import { documentVectors } from './document-vectors.ts';
import { searchSettings } from './search-settings.ts';
import { type TasteRow, tasteStatement } from './taste-statement.ts';

export function postgresRecommendationIndex(database: Database): RecommendationIndex {
  return {
    async tastes(tenant, queries, signal) {
      if (queries.length === 0) return [];
      const rows = await database.read<TasteRow>('tastes', {}, tasteStatement(tenant, queries), signal);
      const done = rows.flatMap((row) => (row.document_id === null ? [] : [{ ...row, document_id: row.document_id }]));
      const vectors = documentVectors(done);
      const byQuery = Map.groupBy(rows, (row) => row.ordinal);
      return queries.map((_, ordinal): Taste | null => {
        const own = byQuery.get(ordinal) ?? [];
        const [first] = own;
        if (!first?.interests) return null;
        return { interests: first.interests, deeds: own.flatMap((row) => deedOf(row, vectors)) };
      });
    },

    async candidates(tenant, queries, signal) {
      if (queries.length === 0) return [];
      const statement = candidateStatement(tenant, queries, database.longestIndexedVector);
      const rows = await database.read<CandidateRow>('recommendations', searchSettings, statement, signal);
      const vectors = documentVectors(rows);
      const byQuery = Map.groupBy(rows, (row) => row.ordinal);
      return queries.map((_, ordinal) =>
        (byQuery.get(ordinal) ?? []).map(
          ({ document_id, popularity }): Candidate => ({
            ...{ documentId: document_id, popularity },
            vector: vectors.get(document_id) ?? null,
          }),
        ),
      );
    },
  };
}

function deedOf(row: TasteRow, vectors: ReadonlyMap<string, Float32Array>): Deed[] {
  const { document_id: documentId, viewed, liked, disliked, purchased } = row;
  if (documentId === null) return [];
  const at = { VIEW: viewed, LIKE: liked, DISLIKE: disliked, PURCHASE: purchased };
  return [{ documentId, at, vector: vectors.get(documentId) ?? null }];
}
