import { z } from 'zod';
import { search } from '../../../resolvers/search.ts';
import type { McpTool } from '../mcp-tool.ts';
import { typedTool } from '../typed-tool.ts';
import { collection } from './fields.ts';
import { metadataFilter } from './metadata-filter.ts';

const input = z.strictObject({
  query: z.string().describe('What to look for, in words or as a question.'),
  in: collection,
  first: z.int().min(1).max(50).default(6).describe('How many passages.'),
  after: z.string().optional().describe('endCursor of the page before.'),
  mode: z
    .enum(['HYBRID', 'VECTOR', 'KEYWORD'])
    .default('HYBRID')
    .describe('By meaning and words together, by meaning, or by words.'),
  filter: metadataFilter.optional(),
  perDocument: z.int().min(1).max(100).default(1).describe('At most so many passages of one document.'),
});

const output = z.object({
  passages: z.array(
    z.object({
      score: z.number().describe('0 to 1, comparable within one result.'),
      text: z.string(),
      title: z.string().nullable(),
      url: z.string().nullable(),
      externalId: z.string().describe('Of its document.'),
      metadata: z.json(),
    }),
  ),
  hasNextPage: z.boolean(),
  endCursor: z.string().nullable(),
});

export const searchTool: McpTool = typedTool({
  name: 'search',
  title: 'Search documents',
  description:
    'Finds the passages of a collection that fit a query, best first, by meaning and by words. It calls no language model.',
  scopes: ['SEARCH'],
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input,
  output,
  async run(args, { context }) {
    const { edges, pageInfo } = await search(args, context);
    const passages = edges.map(({ score, passage, document }) => ({
      ...{ score, text: passage.text, title: document.title, url: document.url },
      ...{ externalId: document.externalId, metadata: document.metadata },
    }));
    const listed = passages.map(
      ({ title, url, externalId, text }, index) =>
        `${index + 1}. ${[title ?? externalId, url].filter(Boolean).join(', ')}\n${text}`,
    );
    return {
      structured: { passages, hasNextPage: pageInfo.hasNextPage, endCursor: pageInfo.endCursor },
      text: listed.length === 0 ? 'Nothing was found.' : listed.join('\n\n'),
    };
  },
});
