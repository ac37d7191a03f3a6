import type { GraphQLResolveInfo } from 'graphql';
import type { DocumentRecord } from '../core/contracts/document-store.ts';
import type { Connection } from '../resolvers/connection.ts';
import {
  becauseOf,
  explanationOf,
  type RecommendationEdge,
  recommend,
  recommendById,
} from '../resolvers/recommendations.ts';
import { builder } from './builder.ts';
import { PageInfoRef } from './connection.ts';
import { MetadataFilterRef } from './metadata-filter.ts';
import { DocumentRef, ProfileRef } from './refs.ts';
import { selects } from './selects.ts';

const RecommendationEdgeRef = builder.objectRef<RecommendationEdge>('RecommendationEdge');
RecommendationEdgeRef.implement({
  description: 'One item, and why.',
  fields: (t) => ({
    cursor: t.exposeString('cursor'),
    node: t.field({ type: DocumentRef, resolve: (edge) => edge.node }),
    score: t.exposeFloat('score', {
      description: 'How well it suits, 0..1, comparable within one list. The order also keeps like items apart.',
    }),
    because: t.field({
      type: [DocumentRef],
      description: 'The interactions that speak for it, the strongest first; empty when popularity or interests do.',
      resolve: (edge, _args, ctx) => becauseOf(edge, ctx),
    }),
    explanation: t.string({
      description:
        'A sentence for the person. Deferrable: a model writes it, one call for all edges of the page; without one it is composed from the reasons.',
      resolve: (edge, _args, ctx) => explanationOf(edge, ctx),
    }),
  }),
});

const RecommendationConnectionRef =
  builder.objectRef<Connection<DocumentRecord, RecommendationEdge>>('RecommendationConnection');
RecommendationConnectionRef.implement({
  description:
    'A page of recommendations, best first. What is recorded while one turns the pages counts from the next page on; none repeats an item.',
  fields: (t) => ({
    edges: t.field({ type: [RecommendationEdgeRef], resolve: (page) => [...page.edges] }),
    pageInfo: t.field({ type: PageInfoRef, resolve: (page) => page.pageInfo }),
  }),
});

const description =
  `Items of a collection for one profile, from its interactions, its stated interests and the item vectors. Of somebody
of whom nothing is known: the popular ones, then the newest. N lists of one operation cost one SQL statement for their candidates.`.replaceAll(
    '\n',
    ' ',
  );

function argsOf<Args extends { readonly first?: number | null | undefined }>(args: Args, info: GraphQLResolveInfo) {
  return { ...args, first: args.first ?? 10, wantsReasons: selects(info, 'because') };
}

builder.queryField('recommendations', (t) =>
  t.field({
    type: RecommendationConnectionRef,
    nullable: true,
    authScopes: { oneOf: ['RECOMMEND'] },
    description,
    args: {
      profile: t.arg.id({ required: true }),
      in: t.arg.string({ required: true, description: 'Name of the collection.' }),
      first: t.arg.int({ defaultValue: 10, description: '1–100.' }),
      after: t.arg.string({ description: 'The endCursor of the page before.' }),
      filter: t.arg({ type: MetadataFilterRef, description: "A condition on the documents' metadata." }),
    },
    resolve: (_root, args, ctx, info) => recommendById({ ...argsOf(args, info), profile: String(args.profile) }, ctx),
  }),
);

builder.objectField(ProfileRef, 'recommendations', (t) =>
  t.field({
    type: RecommendationConnectionRef,
    nullable: true,
    description,
    args: {
      in: t.arg.string({ required: true, description: 'Name of the collection.' }),
      first: t.arg.int({ defaultValue: 10, description: '1–100.' }),
      after: t.arg.string({ description: 'The endCursor of the page before.' }),
      filter: t.arg({ type: MetadataFilterRef, description: "A condition on the documents' metadata." }),
    },
    resolve: (profile, args, ctx, info) => recommend(profile.id, argsOf(args, info), ctx),
  }),
);
