import { z } from 'zod';
import type { Operation } from '../client/request.ts';

const fields = `name prefix tenant scopes createdAt expiresAt lastUsedAt revokedAt
  limits { requestsPerMinute tokensPerMinute budgetUsdPerDay maxConcurrentRuns }`;
const limit = z.number().nullable();
const time = z.string().nullable();
const key = z.object({
  name: z.string(),
  prefix: z.string(),
  tenant: z.string(),
  scopes: z.array(z.string()),
  createdAt: z.string(),
  expiresAt: time,
  lastUsedAt: time,
  revokedAt: time,
  limits: z.object({
    requestsPerMinute: limit,
    tokensPerMinute: limit,
    budgetUsdPerDay: limit,
    maxConcurrentRuns: limit,
  }),
});

const created = z.object({ createApiKey: z.object({ secret: z.string(), apiKey: key }) });
export const createKeyOperation: Operation<z.infer<typeof created>> = {
  document: `mutation CreateKey($input: CreateApiKeyInput!) {
    createApiKey(input: $input) { secret apiKey { ${fields} } }
  }`,
  data: created,
};

const listed = z.object({
  apiKeys: z.object({
    edges: z.array(z.object({ node: key.extend({ id: z.string() }) })),
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
  }),
});
export type ListedKeys = z.infer<typeof listed>;
export const listKeysOperation: Operation<ListedKeys> = {
  document: `query ListKeys($tenant: String, $after: String) {
    apiKeys(first: 100, tenant: $tenant, after: $after) {
      edges { node { id ${fields} } }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  data: listed,
};

const revoked = z.object({ revokeApiKey: z.object({ deletedCount: z.number() }) });
export const revokeKeyOperation: Operation<z.infer<typeof revoked>> = {
  document: 'mutation RevokeKey($id: ID!) { revokeApiKey(id: $id) { deletedCount } }',
  data: revoked,
};
