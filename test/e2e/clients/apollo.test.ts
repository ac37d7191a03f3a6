import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { Defer20220824Handler } from '@apollo/client/incremental';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode, parse } from 'graphql';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import {
  type ChatData,
  type ClientRig,
  type DeferredData,
  expectDeferredSummary,
  expectStreamedChat,
  found,
  searchQuery,
  searchVariables,
  startClientRig,
} from './rig.ts';

const opened = new AsyncDisposableStack();
let rig: ClientRig;
let client: ApolloClient;

beforeAll(async () => {
  rig = opened.use(await startClientRig());
  const sockets = createClient({ url: rig.gateway.webSocketUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
  opened.defer(() => sockets.dispose());
  client = new ApolloClient({
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(sockets),
      new HttpLink({ uri: rig.gateway.url }),
    ),
    cache: new InMemoryCache(),
    incrementalHandler: new Defer20220824Handler(),
  });
  opened.defer(() => client.stop());
});
afterAll(() => opened.disposeAsync());

describe('Apollo Client', () => {
  it('runs a query over HTTP', async () => {
    const { data } = await client.query({ query: parse(searchQuery), variables: searchVariables });
    expect(data).toMatchObject(found);
  });

  it('runs a streamed chat over graphql-ws', async () => {
    await expectStreamedChat(rig.vendor, (query, variables, onData) => {
      // Events are no entities: a cache would replace each by the next.
      const results = client.subscribe<ChatData>({ query: parse(query), variables, fetchPolicy: 'no-cache' });
      return results.forEach(({ data, error }) => {
        expect(error).toBeUndefined();
        if (data) onData(data);
      });
    });
  });

  it('merges a deferred summary into the hits', async () => {
    await expectDeferredSummary(rig.vendor, async (query, variables, onData) => {
      const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
      const watched = client.watchQuery<DeferredData>({ query: parse(query), variables });
      const subscription = watched.subscribe(({ data, dataState, error }) => {
        if (error) reject(error);
        if (dataState === 'streaming' || dataState === 'complete') onData(data as DeferredData);
        if (dataState === 'complete') resolve();
      });
      await ended.finally(() => subscription.unsubscribe());
    });
  });
});
