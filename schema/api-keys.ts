import type { ApiKeyRecord } from '../core/contracts/api-key-store.ts';
import { createApiKey, keyById, listApiKeys, revokeApiKey } from '../resolvers/api-keys.ts';
import { builder } from './builder.ts';
import { DeletePayloadRef } from './collection.ts';
import { connectionType } from './connection.ts';
import { LimitsRef, ScopeRef } from './viewer.ts';

const ApiKeyRef = builder.objectRef<ApiKeyRecord>('ApiKey');
builder.node(ApiKeyRef, {
  description: 'A key without its secret, which nobody can read again.',
  id: { resolve: (key) => key.id },
  loadOne: (id, ctx) => keyById(id, ctx),
  fields: (t) => ({
    name: t.exposeString('name'),
    prefix: t.exposeString('prefix', { description: 'Stands in the secret, behind sk-sluice-: which key it is.' }),
    tenant: t.exposeString('tenant'),
    scopes: t.field({ type: [ScopeRef], resolve: (key) => [...key.scopes] }),
    limits: t.field({ type: LimitsRef, resolve: (key) => key.limits }),
    allowUnknownPrice: t.exposeBoolean('allowUnknownPrice', {
      description: 'Whether a key with a budget may use models whose price is not known.',
    }),
    createdAt: t.field({ type: 'DateTime', resolve: (key) => key.createdAt }),
    expiresAt: t.field({ type: 'DateTime', nullable: true, resolve: (key) => key.expiresAt }),
    lastUsedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Written about once a minute.',
      resolve: (key) => key.lastUsedAt,
    }),
    revokedAt: t.field({ type: 'DateTime', nullable: true, resolve: (key) => key.revokedAt }),
  }),
});

builder.queryField('apiKeys', (t) =>
  t.field({
    type: connectionType<ApiKeyRecord>('ApiKey', ApiKeyRef),
    nullable: true,
    authScopes: { oneOf: ['ADMIN', 'OPERATOR'] },
    description: "Keys of the caller's tenant, without their secrets; newest first, revoked and expired ones too.",
    args: {
      first: t.arg.int({ defaultValue: 20 }),
      after: t.arg.string(),
      tenant: t.arg.string({ description: 'Another tenant: needs OPERATOR.' }),
    },
    resolve: (_root, args, ctx) => listApiKeys({ ...args, first: args.first ?? 20 }, ctx),
  }),
);

const LimitsInput = builder.inputType('LimitsInput', {
  description: 'Left out or null: not limited.',
  fields: (t) => ({
    requestsPerMinute: t.int(),
    tokensPerMinute: t.int(),
    budgetUsdPerDay: t.float({ description: 'US dollars a day, in UTC.' }),
    maxConcurrentRuns: t.int(),
  }),
});

const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  fields: (t) => ({
    name: t.string({ required: true, description: 'For people; unique in the tenant.' }),
    tenant: t.string({ description: "Left out: the caller's. Another one needs OPERATOR." }),
    scopes: t.field({ type: [ScopeRef], required: true, description: 'OPERATOR is given by OPERATOR only.' }),
    limits: t.field({ type: LimitsInput, required: false }),
    allowUnknownPrice: t.boolean({
      defaultValue: false,
      description: 'Let a key with a budget use models whose price is not known: they cost its budget nothing.',
    }),
    expiresAt: t.field({ type: 'DateTime', required: false, description: 'Left out: never.' }),
  }),
});

const CreateApiKeyPayloadRef = builder.objectRef<Awaited<ReturnType<typeof createApiKey>>>('CreateApiKeyPayload');
CreateApiKeyPayloadRef.implement({
  description: 'The secret is shown once, here.',
  fields: (t) => ({
    apiKey: t.field({ type: ApiKeyRef, resolve: (payload) => payload.apiKey }),
    secret: t.exposeString('secret', { description: 'Goes into the header Authorization, behind "Bearer ".' }),
  }),
});

builder.mutationFields((t) => ({
  createApiKey: t.field({
    type: CreateApiKeyPayloadRef,
    nullable: true,
    authScopes: { oneOf: ['ADMIN', 'OPERATOR'] },
    description:
      'The first key closes an open gateway: from then on every operation needs one. CONFLICT when the name is taken.',
    args: { input: t.arg({ type: CreateApiKeyInput, required: true }) },
    resolve: (_root, { input }, ctx) => createApiKey(input, ctx),
  }),
  revokeApiKey: t.field({
    type: DeletePayloadRef,
    nullable: true,
    authScopes: { oneOf: ['ADMIN', 'OPERATOR'] },
    description:
      'Within seconds the key opens nothing more on any instance, and the connections it opened end. 0: it was revoked already.',
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, ctx) => revokeApiKey({ id: String(id) }, ctx),
  }),
}));
