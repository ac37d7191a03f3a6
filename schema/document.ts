import type { PassageRecord } from '../core/contracts/document-store.ts';
import { passagesOf } from '../resolvers/documents.ts';
import { orNull } from '../resolvers/found.ts';
import { builder } from './builder.ts';
import { connectionType } from './connection.ts';
import { CollectionRef, DocumentRef, PassageRef } from './refs.ts';

const PassageConnectionRef = connectionType<PassageRecord>('Passage', PassageRef, { totalCount: true });

builder.node(PassageRef, {
  description: 'A piece of a document of about 180 words: the unit that is searched, and cited.',
  id: { resolve: (passage) => passage.id },
  loadOne: (id, { loaders }) => orNull(loaders.passage.load(id)),
  fields: (t) => ({
    text: t.exposeString('text'),
    position: t.exposeInt('position', { description: '0, 1, 2 … within its document.' }),
    document: t.field({
      type: DocumentRef,
      resolve: (passage, _args, { loaders }) => loaders.document.load(passage.documentId),
    }),
  }),
});

builder.node(DocumentRef, {
  description: 'What was ingested under one externalId.',
  id: { resolve: (document) => document.id },
  loadOne: (id, { loaders }) => orNull(loaders.document.load(id)),
  fields: (t) => ({
    externalId: t.exposeString('externalId', { description: "The app's own id, unique in its collection." }),
    title: t.exposeString('title', { nullable: true }),
    url: t.exposeString('url', { nullable: true }),
    metadata: t.field({ type: 'JSON', resolve: (document) => document.metadata }),
    createdAt: t.field({ type: 'DateTime', resolve: (document) => document.createdAt }),
    updatedAt: t.field({ type: 'DateTime', resolve: (document) => document.updatedAt }),
    collection: t.field({
      type: CollectionRef,
      resolve: (document, _args, { loaders }) => loaders.collection.load(document.collectionId),
    }),
    passages: t.field({
      type: PassageConnectionRef,
      authScopes: { oneOf: ['SEARCH'] },
      description: 'The whole text, in order, with overlaps.',
      args: { first: t.arg.int({ defaultValue: 20 }), after: t.arg.string() },
      resolve: (document, args, ctx) => passagesOf(document, { ...args, first: args.first ?? 20 }, ctx),
    }),
  }),
});
