import { createClient as createSseClient } from 'graphql-sse';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { expectDeferredSummary } from './deferred-summary.ts';
import {
  apollo,
  type GraphqlClient,
  type Opener,
  overGraphqlSse,
  overGraphqlWs,
  plainFetch,
  urqlOverFetch,
  urqlOverGraphqlWs,
} from './graphql-client.ts';
import { type ClientRig, found, searchQuery, searchVariables, startClientRig } from './rig.ts';
import { expectStreamedChat } from './streamed-chat.ts';
import { expectTeamRun, playTeam } from './team-run.ts';

const opened = new AsyncDisposableStack();
let rig: ClientRig;
beforeAll(async () => {
  rig = opened.use(await startClientRig());
});
afterAll(() => opened.disposeAsync());

const openers: readonly (readonly [string, Opener])[] = [
  ['graphql-ws', overGraphqlWs],
  ['graphql-sse with distinct connections', overGraphqlSse],
  ['plain fetch', plainFetch],
  ['Apollo Client', apollo],
  ['urql over graphql-ws', urqlOverGraphqlWs],
  ['urql over fetch alone', urqlOverFetch],
];

describe.each(openers)('%s', (_name, open) => {
  let client: GraphqlClient;
  beforeAll(() => {
    client = open(rig.gateway, opened);
  });

  it('runs a query', async () => {
    expect(await client.request(searchQuery, searchVariables)).toMatchObject(found);
  });

  it('runs a streamed chat', async () => {
    await expectStreamedChat(rig.vendor, client);
  });

  it('follows a team with a tool call and an approval, which it gives, to its end', async () => {
    const stop = playTeam(rig.vendor);
    await expectTeamRun(client).finally(stop);
  });

  it('merges a deferred summary into the hits, where it can', async () => {
    if (client.defer !== null) await expectDeferredSummary(rig.vendor, client.defer);
  });
});

describe('graphql-ws', () => {
  it('has one socket for all operations', async () => {
    let sockets = 0;
    const on = { connected: () => (sockets += 1) };
    const url = rig.gateway.webSocketUrl;
    const client = createClient({ url, webSocketImpl: WebSocket, lazy: false, retryAttempts: 0, on });
    const results = [0, 1].map(() => resultsOf(client.iterate({ query: searchQuery, variables: searchVariables })));
    expect(await Promise.all(results)).toEqual([[{ data: found }], [{ data: found }]]);
    expect(sockets).toBe(1);
    await client.dispose();
  });
});

describe('graphql-sse', () => {
  it('is told to use distinct connections when it asks for a single one', async () => {
    const client = createSseClient({ url: `${rig.gateway.url}/stream`, singleConnection: true, retryAttempts: 0 });
    const results = resultsOf(client.iterate({ query: searchQuery, variables: searchVariables }));
    await expect(results).rejects.toMatchObject({ response: { status: 405 } });
    client.dispose();
  });
});

async function resultsOf<T>(results: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const result of results) all.push(result);
  return all;
}
