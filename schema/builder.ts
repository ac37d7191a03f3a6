import SchemaBuilder from '@pothos/core';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin, { type AuthFailure } from '@pothos/plugin-scope-auth';
import { GraphQLDateTime, GraphQLJSON, GraphQLSafeInt, GraphQLUUID } from 'graphql-scalars';
import type { Context } from '../context.ts';
import { hasOneOf, missingScope } from '../core/access/scopes.ts';
import type { Scope } from '../core/contracts/api-key-store.ts';
import { GatewayError } from '../core/contracts/gateway-error.ts';
import { checkIds, encodeId, parseId } from '../resolvers/global-id.ts';
import { checkNodeScope, nodesInReach } from '../resolvers/node-scopes.ts';

export const builder = new SchemaBuilder<{
  Context: Context;
  /** Of the caller: one of these is enough. Every field of the roots says which, `anyKey` where none is needed. */
  AuthScopes: { readonly oneOf: readonly Scope[]; readonly anyKey: boolean };
  DefaultFieldNullability: false;
  Scalars: {
    DateTime: { Input: Date; Output: Date };
    JSON: { Input: unknown; Output: unknown };
    UUID: { Input: string; Output: string };
    SafeInt: { Input: number; Output: number };
  };
}>({
  plugins: [ScopeAuthPlugin, RelayPlugin],
  scopeAuth: {
    authorizeOnSubscribe: true,
    authScopes: ({ principal }) => ({ oneOf: (needed) => hasOneOf(principal, needed), anyKey: true }),
    unauthorizedError: (_parent, _context, _info, { failure }) => missingScope(scopesOf(failure)),
  },
  defaultFieldNullability: false,
  relay: {
    nodeQueryOptions: {
      description: 'Any object by its id; null when it is gone. Needs a scope of its type.',
      authScopes: { anyKey: true },
      resolve: (_root, { id }, { principal }, _info, resolveNode) => {
        checkNodeScope(principal, id.typename);
        return resolveNode(id);
      },
    },
    nodesQueryOptions: {
      description:
        'Objects by their ids, in their order; null for one that is gone. Needs a scope of the type of each.',
      authScopes: { anyKey: true },
      resolve: (_root, { ids }, { services, principal }, _info, resolveNodes) => {
        checkIds(ids, services.limits.maxFirst);
        return nodesInReach(principal, ids, resolveNodes);
      },
    },
    encodeGlobalID: (typename, id) => encodeId(typename, String(id)),
    decodeGlobalID: (globalId) => {
      const parsed = parseId(globalId);
      if (parsed !== null) return parsed;
      throw new GatewayError(
        'BAD_INPUT',
        `id must be an id that this gateway gave out, got "${globalId.slice(0, 60)}".`,
      );
    },
  },
});

/** What the field asked for, out of what the plugin makes of it: it wraps the failure of each part. */
function scopesOf(failure: AuthFailure): readonly Scope[] {
  if ('failures' in failure) return failure.failures.flatMap(scopesOf);
  return 'parameter' in failure ? (failure.parameter as readonly Scope[]) : []; // of `oneOf`, the only one that can fail
}

builder.addScalarType('DateTime', GraphQLDateTime, { description: 'RFC 3339, in UTC: "2026-01-31T12:00:00Z".' });
builder.addScalarType('JSON', GraphQLJSON, { description: 'Any JSON value.' });
builder.addScalarType('UUID', GraphQLUUID, { description: 'RFC 9562, as crypto.randomUUID() makes them.' });
builder.addScalarType('SafeInt', GraphQLSafeInt, { description: 'An integer up to 2^53.' });

builder.queryType({ description: 'Read: search, collections, conversations, runs, recommendations, models, health.' });
builder.mutationType({ description: 'Start and cancel runs; change collections, conversations and profiles.' });
builder.subscriptionType({
  description: 'Follow runs, token by token. Disconnecting is not cancelling; go on with `after`.',
});
