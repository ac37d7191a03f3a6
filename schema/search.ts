import type { SearchResult } from '../core/search/search.ts';
import { similarTo, summariseDocument } from '../resolvers/documents.ts';
import {
  highlightsOf,
  type ListedHit,
  type SearchConnection,
  type SearchEdge,
  search,
  summariseSearch,
} from '../resolvers/search.ts';
import { builder } from './builder.ts';
import { CitedTextRef } from './cited-text.ts';
import { PageInfoRef } from './connection.ts';
import { MetadataFilterRef } from './metadata-filter.ts';
import { DocumentRef, PassageRef } from './refs.ts';

export const SearchModeRef = builder.enumType('SearchMode', {
  description: 'How passages are found and ranked.',
  values: {
    HYBRID: { description: 'By meaning and by words, fused. The best default.' },
    VECTOR: { description: 'By meaning alone.' },
    KEYWORD: { description: 'By words alone: no embeddings call.' },
  } as const,
});

const SearchTimingsRef = builder.objectRef<SearchResult['timings']>('SearchTimings');
SearchTimingsRef.implement({
  description:
    'Where the time went, in milliseconds. Searches of one operation share their embeddings call and their statement.',
  fields: (t) => ({
    embedMs: t.exposeFloat('embedMs'),
    retrieveMs: t.exposeFloat('retrieveMs'),
    rerankMs: t.exposeFloat('rerankMs', { nullable: true }),
    totalMs: t.exposeFloat('totalMs'),
  }),
});

export const SearchEdgeRef = builder.objectRef<ListedHit>('SearchEdge');
SearchEdgeRef.implement({
  description: 'One hit.',
  fields: (t) => ({
    cursor: t.exposeString('cursor'),
    node: t.field({ type: PassageRef, resolve: (hit) => hit.passage }),
    score: t.exposeFloat('score', { description: 'Fused score in 0..1, comparable within one result only.' }),
    vectorScore: t.exposeFloat('vectorScore', {
      nullable: true,
      description: 'Cosine similarity; null without a vector.',
    }),
    keywordScore: t.exposeFloat('keywordScore', {
      nullable: true,
      description: 'Weight of the words; null in VECTOR mode.',
    }),
    highlights: t.field({
      type: ['String'],
      description: 'Matching fragments, the match marked with <mark>; all else HTML-escaped.',
      resolve: highlightsOf,
    }),
  }),
});

const SearchConnectionRef = builder.objectRef<SearchConnection>('SearchConnection');
SearchConnectionRef.implement({
  description: 'A page of hits, best first.',
  fields: (t) => ({
    edges: t.field({ type: [SearchEdgeRef], resolve: (page): readonly SearchEdge[] => page.edges }),
    nodes: t.field({ type: [PassageRef], resolve: (page) => page.edges.map((edge) => edge.node) }),
    pageInfo: t.field({ type: PageInfoRef, resolve: (page) => page.pageInfo }),
    summary: t.field({
      type: CitedTextRef,
      nullable: true,
      description:
        'A short text over the hits with citations; null without hits. Deferrable: it is an LLM call, and the hits do not wait for it.',
      args: { model: t.arg.string(), maxWords: t.arg.int({ required: false, defaultValue: 120 }) },
      resolve: (page, args, ctx) => summariseSearch(page, { ...args, maxWords: args.maxWords ?? 120 }, ctx),
    }),
    timings: t.field({ type: SearchTimingsRef, resolve: (page) => page.result.timings }),
  }),
});

builder.queryField('search', (t) =>
  t.field({
    type: SearchConnectionRef,
    nullable: true,
    authScopes: { oneOf: ['SEARCH'] },
    description:
      'Hybrid, vector or keyword search over one collection. N aliased searches cost one embeddings call and one SQL statement.',
    args: {
      query: t.arg.string({ required: true, description: 'What you would type into a search box, or ask a person.' }),
      in: t.arg.string({ defaultValue: 'default', description: 'Name of the collection.' }),
      first: t.arg.int({ defaultValue: 10, description: '1–100.' }),
      after: t.arg.string({ description: 'The endCursor of the page before.' }),
      mode: t.arg({ type: SearchModeRef, defaultValue: 'HYBRID' }),
      filter: t.arg({ type: MetadataFilterRef, description: "A condition on the documents' metadata." }),
      rerank: t.arg.boolean({
        defaultValue: false,
        description: 'Let a generative model grade the first hits, in one call.',
      }),
      perDocument: t.arg.int({
        defaultValue: 1,
        description:
          'At most so many passages of one document: 1 lists documents by their best passage, null lists every passage.',
      }),
    },
    resolve: (_root, args, ctx) => search(args, ctx),
  }),
);

builder.objectFields(DocumentRef, (t) => ({
  similar: t.field({
    type: [SearchEdgeRef],
    authScopes: { oneOf: ['SEARCH'] },
    description: 'Documents of the same collection that are nearest in meaning, itself left out.',
    args: { first: t.arg.int({ required: false, defaultValue: 5 }) },
    resolve: (document, args, ctx) => similarTo(document, { first: args.first ?? 5 }, ctx),
  }),
  summary: t.field({
    type: CitedTextRef,
    nullable: true,
    authScopes: { oneOf: ['SEARCH'] },
    description: 'A short text over the document, with citations. Deferrable.',
    args: { model: t.arg.string(), maxWords: t.arg.int({ required: false, defaultValue: 60 }) },
    resolve: (document, args, ctx) => summariseDocument(document, { ...args, maxWords: args.maxWords ?? 60 }, ctx),
  }),
}));
