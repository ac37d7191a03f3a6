import type { ProfileRecord } from '../core/contracts/profile-store.ts';
import type { RecordedInteractions } from '../core/recommend/record-interactions.ts';
import { orNull } from '../resolvers/found.ts';
import { deleteProfile, findProfile, recordInteractions, upsertProfile } from '../resolvers/recommendations.ts';
import { builder } from './builder.ts';
import { DeletePayloadRef } from './collection.ts';
import { ProfileRef } from './refs.ts';

builder.node(ProfileRef, {
  description: 'A person that an app recommends to: what it says it likes, and what it does.',
  id: { resolve: (profile) => profile.id },
  loadOne: (id, { loaders }) => orNull(loaders.profile.load(id)),
  fields: (t) => ({
    externalId: t.exposeString('externalId', { description: "The app's own name for the person." }),
    interests: t.field({ type: ['String'], resolve: (profile) => [...profile.interests] }),
    metadata: t.field({ type: 'JSON', resolve: (profile) => profile.metadata }),
    interactionCount: t.int({
      description: 'Over all collections; those with documents that are gone are gone too.',
      resolve: (profile, _args, { loaders }) => loaders.interactionCount.load(profile.id),
    }),
  }),
});

builder.queryField('profile', (t) =>
  t.field({
    type: ProfileRef,
    nullable: true,
    authScopes: { oneOf: ['RECOMMEND'] },
    description: 'Null when there is none of that name.',
    args: { externalId: t.arg.string({ required: true }) },
    resolve: (_root, args, ctx) => findProfile(args, ctx),
  }),
);

const UpsertProfileInput = builder.inputType('UpsertProfileInput', {
  fields: (t) => ({
    externalId: t.string({ required: true, description: "The app's own name for the person, 1–500 characters." }),
    interests: t.stringList({
      description: 'At most 32 short texts: "jazz", "low-fat cooking". Left out or null: as they were.',
    }),
    metadata: t.field({ type: 'JSON', required: false, description: 'A JSON object. Left out or null: as it was.' }),
  }),
});
const UpsertProfilePayloadRef = builder.objectRef<{ readonly profile: ProfileRecord }>('UpsertProfilePayload');
UpsertProfilePayloadRef.implement({
  fields: (t) => ({ profile: t.field({ type: ProfileRef, resolve: (payload) => payload.profile }) }),
});

export const InteractionKindRef = builder.enumType('InteractionKind', {
  description: 'What a person did with a document. What was liked, disliked or bought is not recommended again.',
  values: {
    VIEW: { description: 'Looked at it: a weak sign.' },
    LIKE: { description: 'Takes back a DISLIKE of before.' },
    DISLIKE: { description: 'Keeps what is near to it away, too. Takes back a LIKE of before.' },
    PURCHASE: { description: 'The strongest sign.' },
  } as const,
});

const InteractionInput = builder.inputType('InteractionInput', {
  description: 'id makes it safe to send again: an id seen before is not counted twice.',
  fields: (t) => ({
    id: t.field({ type: 'UUID', required: false }),
    externalId: t.string({ required: true, description: 'Of the document.' }),
    kind: t.field({ type: InteractionKindRef, required: true }),
    at: t.field({ type: 'DateTime', required: false, description: 'Left out: now. Not in the future.' }),
  }),
});
const RecordInteractionsInput = builder.inputType('RecordInteractionsInput', {
  fields: (t) => ({
    profile: t.id({ required: true }),
    in: t.string({ required: true, description: 'Name of the collection that the documents are in.' }),
    interactions: t.field({ type: [InteractionInput], required: true, description: '1–1,000.' }),
  }),
});

const InteractionFailureRef = builder.objectRef<RecordedInteractions['failures'][number]>('InteractionFailure');
InteractionFailureRef.implement({
  description: 'An interaction that was not recorded; the others were.',
  fields: (t) => ({
    index: t.exposeInt('index', { description: 'Its place in `interactions`, from 0.' }),
    externalId: t.exposeString('externalId'),
    message: t.exposeString('message'),
  }),
});

const RecordInteractionsPayloadRef = builder.objectRef<RecordedInteractions & { readonly profile: ProfileRecord }>(
  'RecordInteractionsPayload',
);
RecordInteractionsPayloadRef.implement({
  fields: (t) => ({
    profile: t.field({ type: ProfileRef, resolve: (payload) => payload.profile }),
    recorded: t.exposeInt('recorded', { description: 'How many are new; an id seen before is not counted again.' }),
    failures: t.field({
      type: [InteractionFailureRef],
      description: 'Names what was not recorded, and why: a document that is not there, a date in the future.',
      resolve: (payload) => [...payload.failures],
    }),
  }),
});

builder.mutationFields((t) => ({
  upsertProfile: t.field({
    type: UpsertProfilePayloadRef,
    nullable: true,
    authScopes: { oneOf: ['RECOMMEND'] },
    description: 'Makes the profile of this name, or changes it.',
    args: { input: t.arg({ type: UpsertProfileInput, required: true }) },
    resolve: async (_root, { input }, ctx) => ({ profile: await upsertProfile(input, ctx) }),
  }),
  recordInteractions: t.field({
    type: RecordInteractionsPayloadRef,
    nullable: true,
    authScopes: { oneOf: ['RECOMMEND'] },
    description:
      'What a person did with documents; the next query sees it. What cannot be recorded is named in `failures` and the rest is recorded; when that is nothing, it is BAD_INPUT.',
    args: { input: t.arg({ type: RecordInteractionsInput, required: true }) },
    resolve: (_root, { input }, ctx) => recordInteractions({ ...input, profile: String(input.profile) }, ctx),
  }),
  deleteProfile: t.field({
    type: DeletePayloadRef,
    nullable: true,
    authScopes: { oneOf: ['RECOMMEND'] },
    description: 'Its interactions go with it.',
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, ctx) => deleteProfile({ id: String(id) }, ctx),
  }),
}));
