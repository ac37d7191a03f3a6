import { embedding } from '../resolvers/embedding.ts';
import { builder } from './builder.ts';

const EmbeddingRef = builder.objectRef<Awaited<ReturnType<typeof embedding>>>('Embedding');
EmbeddingRef.implement({
  description: 'Vector of one text.',
  fields: (t) => ({
    model: t.exposeString('model'),
    dimensions: t.exposeInt('dimensions'),
    vector: t.field({ type: ['Float'], resolve: (parent) => parent.vector }),
    tokens: t.exposeInt('tokens', { description: "This text's share of the call's input tokens." }),
  }),
});

builder.queryField('embedding', (t) =>
  t.field({
    type: EmbeddingRef,
    nullable: true,
    authScopes: { oneOf: ['SEARCH'] },
    description:
      'Vector of one text. Aliased and nested uses are batched into as few provider calls as its limits allow.',
    args: {
      text: t.arg.string({ required: true }),
      model: t.arg.string({ description: "Left out: the gateway's default." }),
    },
    resolve: (_root, args, ctx) => embedding(args, ctx),
  }),
);
