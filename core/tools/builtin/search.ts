import type { Tool } from '../../contracts/tool.ts';
import { UsageMeter } from '../../models/usage/usage-meter.ts';
import type { MetadataFilterInput } from '../../search/metadata-filter.ts';
import { type SearchServices, search } from '../../search/search.ts';

const most = 10;
const usual = { in: 'default', first: 5 };

/** The search of the graph, for a model: what it finds can be cited, and read on with read_document. */
export function searchTool(services: SearchServices): Tool {
  return {
    name: 'search',
    description:
      'Searches a collection of documents by meaning and by words. Returns the passages that fit best, each with the document it stands in.',
    parameters: {
      type: 'object',
      properties: {
        query: { type: 'string', minLength: 1, description: 'What is looked for: a question or some words' },
        in: { type: 'string', minLength: 1, description: `Name of the collection; ${usual.in} when left out` },
        first: { type: 'integer', minimum: 1, maximum: most, description: `How many; ${usual.first} when left out` },
        filter: {
          type: 'object',
          description:
            'By metadata: {"field": "year", "greaterThan": 2020}, with one of equals, in, greaterThan, lessThan, exists; all, any and not combine filters',
        },
      },
      required: ['query'],
      additionalProperties: false,
    },
    requiresApproval: false,
    source: 'BUILTIN',
    changesWorld: false,
    timeoutMs: 30_000,
    resultSchema: null,
    async call(args, { tenant, keyId, signal, spend }) {
      const meter = new UsageMeter();
      const request = {
        query: String(args['query']),
        in: String(args['in'] ?? usual.in),
        first: Number(args['first'] ?? usual.first),
        filter: (args['filter'] ?? null) as MetadataFilterInput | null, // an object by the schema; the search checks the rest
        ...{ mode: 'HYBRID' as const, after: null, rerank: false, perDocument: 3 },
      };
      const call = { tenant, payer: keyId, meter, signal };
      const found = await search(services, request, call).finally(() => spend(meter.usage));
      const hits = found.hits.map(({ passage, document, score }) => ({
        passageId: passage.id,
        documentId: document.id,
        externalId: document.externalId,
        title: document.title,
        url: document.url,
        score: Number(score.toFixed(3)),
        text: passage.text,
      }));
      return {
        value: { hits },
        sources: hits.map(({ passageId, title, url, text }) => ({ passageId, title, url, text })),
      };
    },
  };
}
