import type { InterfaceRef, ObjectRef } from '@pothos/core';
import type { Connection, Edge, PageInfo } from '../resolvers/connection.ts';
import { builder } from './builder.ts';

export const PageInfoRef = builder.objectRef<PageInfo>('PageInfo');
PageInfoRef.implement({
  description: 'Where a page stands in its list.',
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage'),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage'),
    startCursor: t.exposeString('startCursor', { nullable: true }),
    endCursor: t.exposeString('endCursor', { nullable: true, description: 'Give it as `after` for the next page.' }),
  }),
});

type NodeRef<T> = ObjectRef<SchemaTypes, T, T> | InterfaceRef<SchemaTypes, T, T>;
type SchemaTypes = (typeof builder)['$inferSchemaTypes'];

/** `XConnection` and `XEdge` of a node type, as the Relay specification has them. */
export function connectionType<T>(name: string, node: NodeRef<T>, options: { readonly totalCount?: boolean } = {}) {
  const edge = builder.objectRef<Edge<T>>(`${name}Edge`);
  edge.implement({
    fields: (t) => ({
      cursor: t.exposeString('cursor'),
      node: t.field({ type: node, resolve: (parent) => parent.node as never }), // T is what `node` stands for
    }),
  });
  const connection = builder.objectRef<Connection<T> & { readonly totalCount?: number }>(`${name}Connection`);
  connection.implement({
    fields: (t) => ({
      edges: t.field({ type: [edge], resolve: (parent) => parent.edges }),
      pageInfo: t.field({ type: PageInfoRef, resolve: (parent) => parent.pageInfo }),
      ...(options.totalCount ? { totalCount: t.int({ resolve: (parent) => parent.totalCount ?? 0 }) } : {}),
    }),
  });
  return connection;
}
