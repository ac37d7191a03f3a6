import type { CollectionRecord } from '../core/contracts/collection-store.ts';
import type { DocumentRecord } from '../core/contracts/document-store.ts';
import {
  createCollection,
  deleteCollection,
  deleteDocuments,
  documentsOf,
  findCollection,
  listCollections,
} from '../resolvers/collections.ts';
import { orNull } from '../resolvers/found.ts';
import { builder } from './builder.ts';
import { connectionType } from './connection.ts';
import { MetadataFilterRef } from './metadata-filter.ts';
import { CollectionRef, DocumentRef } from './refs.ts';

const DocumentConnectionRef = connectionType<DocumentRecord>('Document', DocumentRef, { totalCount: true });
const CollectionConnectionRef = connectionType<CollectionRecord>('Collection', CollectionRef);

builder.node(CollectionRef, {
  description: 'Documents that are searched together, embedded by one model.',
  id: { resolve: (collection) => collection.id },
  loadOne: (id, { loaders }) => orNull(loaders.collection.load(id)),
  fields: (t) => ({
    name: t.exposeString('name'),
    embeddingModel: t.exposeString('embeddingModel', { description: 'Fixed when the collection is created.' }),
    dimensions: t.exposeInt('dimensions', { description: "Length of the model's vectors." }),
    documentCount: t.int({
      resolve: async ({ id }, _args, { loaders }) => (await loaders.collectionCounts.load(id)).documents,
    }),
    passageCount: t.int({
      resolve: async ({ id }, _args, { loaders }) => (await loaders.collectionCounts.load(id)).passages,
    }),
    documents: t.field({
      type: DocumentConnectionRef,
      authScopes: { oneOf: ['SEARCH'] },
      description: 'Most recently changed first.',
      args: {
        first: t.arg.int({ defaultValue: 20 }),
        after: t.arg.string(),
        filter: t.arg({ type: MetadataFilterRef }),
      },
      resolve: (collection, args, ctx) => documentsOf(collection, { ...args, first: args.first ?? 20 }, ctx),
    }),
    createdAt: t.field({ type: 'DateTime', resolve: (collection) => collection.createdAt }),
  }),
});

builder.queryFields((t) => ({
  collections: t.field({
    type: CollectionConnectionRef,
    nullable: true,
    authScopes: { oneOf: ['SEARCH', 'INGEST'] },
    description: 'By name.',
    args: { first: t.arg.int({ defaultValue: 20 }), after: t.arg.string() },
    resolve: (_root, args, ctx) => listCollections({ ...args, first: args.first ?? 20 }, ctx),
  }),
  collection: t.field({
    type: CollectionRef,
    nullable: true,
    authScopes: { oneOf: ['SEARCH', 'INGEST'] },
    description: 'Null when there is none of that name.',
    args: { name: t.arg.string({ required: true }) },
    resolve: (_root, args, ctx) => findCollection(args, ctx),
  }),
}));

export const DeletePayloadRef = builder.objectRef<{ readonly deletedCount: number }>('DeletePayload');
DeletePayloadRef.implement({
  fields: (t) => ({
    deletedCount: t.exposeInt('deletedCount', {
      description: 'How many documents, conversations, keys or profiles were there.',
    }),
  }),
});

const CreateCollectionPayloadRef = builder.objectRef<{ readonly collection: CollectionRecord }>(
  'CreateCollectionPayload',
);
CreateCollectionPayloadRef.implement({
  fields: (t) => ({ collection: t.field({ type: CollectionRef, resolve: (payload) => payload.collection }) }),
});

const CreateCollectionInput = builder.inputType('CreateCollectionInput', {
  fields: (t) => ({
    name: t.string({ required: true, description: '1–100 letters, digits, ".", "_" or "-".' }),
    embeddingModel: t.string({ description: "Left out: the gateway's default." }),
  }),
});

builder.mutationFields((t) => ({
  createCollection: t.field({
    type: CreateCollectionPayloadRef,
    nullable: true,
    authScopes: { oneOf: ['INGEST'] },
    description: 'CONFLICT when the name is taken.',
    args: { input: t.arg({ type: CreateCollectionInput, required: true }) },
    resolve: async (_root, { input }, ctx) => ({ collection: await createCollection(input, ctx) }),
  }),
  deleteCollection: t.field({
    type: DeletePayloadRef,
    nullable: true,
    authScopes: { oneOf: ['INGEST'] },
    description: 'Deletes the collection with everything in it; counts its documents.',
    args: { name: t.arg.string({ required: true }) },
    resolve: (_root, args, ctx) => deleteCollection(args, ctx),
  }),
  deleteDocuments: t.field({
    type: DeletePayloadRef,
    nullable: true,
    authScopes: { oneOf: ['INGEST'] },
    description: 'Exactly one of externalIds and filter.',
    args: {
      in: t.arg.string({ required: true, description: 'Name of the collection.' }),
      externalIds: t.arg.stringList(),
      filter: t.arg({ type: MetadataFilterRef }),
    },
    resolve: (_root, args, ctx) => deleteDocuments(args, ctx),
  }),
}));
