import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { Defer20220824Handler } from '@apollo/client/incremental';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { Client, type Exchange, fetchExchange, type OperationResult, subscriptionExchange } from '@urql/core';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { type FormattedExecutionResult, OperationTypeNode, parse } from 'graphql';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient, type Sink } from 'graphql-ws';
import { expect } from 'vitest';
import { WebSocket } from 'ws';
import type { TestGateway } from '../../helpers/gateway.ts';

type Run = <Data>(query: string, variables: Record<string, unknown>, onData: (data: Data) => void) => Promise<void>;

/** What every client of the suite can do, each in its own way. All of it fails with the errors of the gateway. */
export interface GraphqlClient {
  readonly name: string;
  request<Data>(query: string, variables: Record<string, unknown>): Promise<Data>;
  /** Hands on every result, and resolves when the stream has ended. */
  readonly subscribe: Run;
  /** Of a query with `@defer`: the data as it is after every part. Null: the client knows no incremental delivery. */
  readonly defer: Run | null;
}

export type Opener = (gateway: TestGateway, opened: AsyncDisposableStack) => GraphqlClient;

export const overGraphqlWs: Opener = ({ webSocketUrl }, opened) => {
  const client = createClient({ url: webSocketUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
  opened.defer(() => client.dispose());
  return iterating('graphql-ws', (query, variables) => client.iterate({ query, variables }));
};

export const overGraphqlSse: Opener = ({ url }, opened) => {
  const client = createSseClient({ url: `${url}/stream`, retryAttempts: 0 });
  opened.defer(() => client.dispose());
  return iterating('graphql-sse with distinct connections', (query, variables) => client.iterate({ query, variables }));
};

export const plainFetch: Opener = ({ url }) => {
  const post = (accept: string, query: string, variables: object): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify({ query, variables }),
    });
  return {
    name: 'plain fetch',
    async request<Data>(query: string, variables: object) {
      const { data, errors } = (await (await post('application/json', query, variables)).json()) as Result<Data>;
      return dataOf({ data, errors });
    },
    async subscribe(query, variables, onData) {
      const { body } = await post('text/event-stream', query, variables);
      if (body === null) throw new Error('the answer has no body');
      for await (const { event, data } of body
        .pipeThrough(new TextDecoderStream())
        .pipeThrough(new EventSourceParserStream())) {
        if (event === 'next') onData(dataOf(JSON.parse(data)));
      }
    },
    defer: null,
  };
};

export const apollo: Opener = ({ url, webSocketUrl }, opened) => {
  const sockets = createClient({ url: webSocketUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
  const client = new ApolloClient({
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(sockets),
      new HttpLink({ uri: url }),
    ),
    cache: new InMemoryCache(),
    incrementalHandler: new Defer20220824Handler(),
  });
  opened.defer(() => sockets.dispose());
  opened.defer(() => client.stop());
  return {
    name: 'Apollo Client',
    async request<Data>(query: string, variables: Record<string, unknown>) {
      const document = parse(query);
      const isMutation = document.definitions.some((each) => 'operation' in each && each.operation === 'mutation');
      const { data } = isMutation
        ? await client.mutate({ mutation: document, variables })
        : await client.query({ query: document, variables, fetchPolicy: 'network-only' });
      return data as Data; // checked by the test
    },
    subscribe<Data>(query: string, variables: Record<string, unknown>, onData: (data: Data) => void) {
      // Events are no entities: a cache would replace each by the next.
      const results = client.subscribe<Data>({ query: parse(query), variables, fetchPolicy: 'no-cache' });
      return results.forEach(({ data, error }) => {
        expect(error).toBeUndefined();
        if (data) onData(data as Data);
      });
    },
    async defer<Data>(query: string, variables: Record<string, unknown>, onData: (data: Data) => void) {
      const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
      const watched = client.watchQuery({ query: parse(query), variables });
      const subscription = watched.subscribe(({ data, dataState, error }) => {
        if (error) reject(error);
        if (dataState === 'streaming' || dataState === 'complete') onData(data as Data);
        if (dataState === 'complete') resolve();
      });
      await ended.finally(() => subscription.unsubscribe());
    },
  };
};

export const urqlOverGraphqlWs: Opener = ({ url, webSocketUrl }, opened) => {
  const sockets = createClient({ url: webSocketUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
  opened.defer(() => sockets.dispose());
  const forwarding = subscriptionExchange({
    forwardSubscription: ({ query = '', ...request }) => ({
      // Its type of a result has `data?: … | null`, where graphql's own may also be undefined.
      subscribe: (sink) => ({
        unsubscribe: sockets.subscribe({ ...request, query }, sink as Sink<FormattedExecutionResult>),
      }),
    }),
  });
  return urql('urql over graphql-ws', url, [fetchExchange, forwarding]);
};

export const urqlOverFetch: Opener = ({ url }) =>
  urql('urql over fetch alone', url, [fetchExchange], { fetchSubscriptions: true });

function urql(
  name: string,
  url: string,
  exchanges: Exchange[],
  options: { readonly fetchSubscriptions?: boolean } = {},
): GraphqlClient {
  const client = new Client({ url, preferGetMethod: false, exchanges, ...options });
  return {
    name,
    async request(query, variables) {
      const isMutation = /^\s*mutation\b/.test(query);
      const { data, error } = await (isMutation
        ? client.mutation(query, variables)
        : client.query(query, variables, { requestPolicy: 'network-only' }));
      expect(error).toBeUndefined();
      return data;
    },
    subscribe: (query, variables, onData) => follow(client.subscription(query, variables), onData),
    defer: (query, variables, onData) => follow(client.query(query, variables), onData),
  };
}

/** Hands on every new result. urql marks the last one, and repeats it for the mark where the server had said nothing. */
async function follow<Data>(
  source: { subscribe(onResult: (result: OperationResult<Data>) => void): { unsubscribe(): void } },
  onData: (data: Data) => void,
): Promise<void> {
  const ended = Promise.withResolvers<void>();
  let latest: Data | undefined;
  const subscription = source.subscribe(({ data, error, hasNext }) => {
    try {
      expect(error).toBeUndefined();
      if (data && data !== latest) onData(data);
      latest = data;
      if (!hasNext) ended.resolve();
    } catch (failed) {
      ended.reject(failed);
    }
  });
  await ended.promise.finally(() => subscription.unsubscribe());
}

interface Result<Data> {
  readonly data?: Data | null | undefined;
  readonly errors?: readonly unknown[] | undefined;
}

/** A client that has one way for all operations: results that are iterated. */
function iterating(
  name: string,
  iterate: (query: string, variables: Record<string, unknown>) => AsyncIterable<Result<unknown>>,
): GraphqlClient {
  const subscribe: Run = async <Data>(
    query: string,
    variables: Record<string, unknown>,
    onData: (data: Data) => void,
  ) => {
    for await (const result of iterate(query, variables)) onData(dataOf(result as Result<Data>));
  };
  return {
    name,
    async request<Data>(query: string, variables: Record<string, unknown>) {
      const all: Data[] = [];
      await subscribe<Data>(query, variables, (data) => all.push(data));
      const [only] = all;
      if (only === undefined || all.length > 1) throw new Error(`expected one result, got ${all.length}`);
      return only;
    },
    subscribe,
    defer: null,
  };
}

function dataOf<Data>({ data, errors }: Result<Data>): Data {
  expect(errors).toBeUndefined();
  if (data == null) throw new Error('a result without data');
  return data;
}
