import SchemaBuilder from '@pothos/core';
import RelayPlugin from '@pothos/plugin-relay';
import { GraphQLDateTime, GraphQLJSON, GraphQLSafeInt, GraphQLUUID } from 'graphql-scalars';
import type { Context } from '../context.ts';
import { GatewayError } from '../core/contracts/gateway-error.ts';
import { checkIds, encodeId, parseId } from '../resolvers/global-id.ts';

export const builder = new SchemaBuilder<{
  Context: Context;
  DefaultFieldNullability: false;
  Scalars: {
    DateTime: { Input: Date; Output: Date };
    JSON: { Input: unknown; Output: unknown };
    UUID: { Input: string; Output: string };
    SafeInt: { Input: number; Output: number };
  };
}>({
  plugins: [RelayPlugin],
  defaultFieldNullability: false,
  relay: {
    nodeQueryOptions: { description: 'Any object by its id; null when it is gone.' },
    nodesQueryOptions: {
      description: 'Objects by their ids, in their order; null for one that is gone.',
      resolve: (_root, { ids }, { services }, _info, resolveNodes) => {
        checkIds(ids, services.limits.maxFirst);
        return resolveNodes(ids);
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

builder.addScalarType('DateTime', GraphQLDateTime, { description: 'RFC 3339, in UTC: "2026-01-31T12:00:00Z".' });
builder.addScalarType('JSON', GraphQLJSON, { description: 'Any JSON value.' });
builder.addScalarType('UUID', GraphQLUUID, { description: 'RFC 9562, as crypto.randomUUID() makes them.' });
builder.addScalarType('SafeInt', GraphQLSafeInt, { description: 'An integer up to 2^53.' });

builder.queryType({ description: 'Read: search, collections, conversations, runs, models, health.' });
builder.mutationType({ description: 'Start and cancel runs; change collections and conversations.' });
builder.subscriptionType({
  description: 'Follow runs, token by token. Disconnecting is not cancelling; go on with `after`.',
});
