import { Client, type Exchange, fetchExchange, type OperationResult, subscriptionExchange } from '@urql/core';
import type { FormattedExecutionResult } from 'graphql';
import { createClient, type Sink } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import {
  type ClientRig,
  expectDeferredSummary,
  expectStreamedChat,
  found,
  searchQuery,
  searchVariables,
  startClientRig,
} from './rig.ts';

const opened = new AsyncDisposableStack();
let rig: ClientRig;

beforeAll(async () => {
  rig = opened.use(await startClientRig());
});
afterAll(() => opened.disposeAsync());

describe('urql', () => {
  it('runs a query over HTTP and a streamed chat over graphql-ws', async () => {
    const sockets = createClient({ url: rig.gateway.webSocketUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
    opened.defer(() => sockets.dispose());
    await runsBoth(
      urqlClient([
        fetchExchange,
        subscriptionExchange({
          forwardSubscription: ({ query = '', ...request }) => ({
            // Its type of a result has `data?: … | null`, where graphql's own may also be undefined.
            subscribe: (sink) => ({
              unsubscribe: sockets.subscribe({ ...request, query }, sink as Sink<FormattedExecutionResult>),
            }),
          }),
        }),
      ]),
    );
  });

  it('runs both over fetch alone, with server-sent events', async () => {
    await runsBoth(urqlClient([fetchExchange], { fetchSubscriptions: true }));
  });

  it('merges a deferred summary into the hits', async () => {
    const client = urqlClient([fetchExchange]);
    await expectDeferredSummary(rig.vendor, (query, variables, onData) =>
      follow(client.query(query, variables), onData),
    );
  });
});

function urqlClient(exchanges: Exchange[], options: { readonly fetchSubscriptions?: boolean } = {}): Client {
  return new Client({ url: rig.gateway.url, preferGetMethod: false, exchanges, ...options });
}

async function runsBoth(client: Client): Promise<void> {
  const { data, error } = await client.query(searchQuery, searchVariables);
  expect(error).toBeUndefined();
  expect(data).toMatchObject(found);
  await expectStreamedChat(rig.vendor, (query, variables, onData) =>
    follow(client.subscription(query, variables), onData),
  );
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
