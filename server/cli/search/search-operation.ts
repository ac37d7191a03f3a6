import { z } from 'zod';
import type { Operation } from '../client/request.ts';

const edge = z.object({
  score: z.number(),
  vectorScore: z.number().nullable(),
  keywordScore: z.number().nullable(),
  highlights: z.array(z.string()),
  node: z.object({
    id: z.string(),
    text: z.string(),
    position: z.number(),
    document: z.object({
      externalId: z.string(),
      title: z.string().nullable(),
      url: z.string().nullable(),
      metadata: z.unknown(),
    }),
  }),
});
export type SearchHit = z.infer<typeof edge>;

const data = z.object({
  search: z.object({
    edges: z.array(edge),
    timings: z.object({ embedMs: z.number(), retrieveMs: z.number(), totalMs: z.number() }),
  }),
});

export const searchOperation: Operation<z.infer<typeof data>> = {
  document: /* GraphQL */ `
    query Search($query: String!, $in: String!, $first: Int!, $mode: SearchMode!) {
      search(query: $query, in: $in, first: $first, mode: $mode) {
        edges {
          score
          vectorScore
          keywordScore
          highlights
          node { id text position document { externalId title url metadata } }
        }
        timings { embedMs retrieveMs totalMs }
      }
    }
  `,
  data,
};
