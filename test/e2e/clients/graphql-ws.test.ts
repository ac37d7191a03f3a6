import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import {
  type ChatData,
  type ClientRig,
  expectStreamedChat,
  found,
  resultsOf,
  searchQuery,
  searchVariables,
  startClientRig,
} from './rig.ts';

let rig: ClientRig;

beforeAll(async () => {
  rig = await startClientRig();
});
afterAll(() => rig[Symbol.asyncDispose]());

describe('graphql-ws', () => {
  it('runs a query and a streamed chat over one socket', async () => {
    let sockets = 0;
    const client = createClient({
      url: rig.gateway.webSocketUrl,
      webSocketImpl: WebSocket,
      lazy: false,
      retryAttempts: 0,
      on: { connected: () => (sockets += 1) },
    });
    try {
      const results = await resultsOf(client.iterate({ query: searchQuery, variables: searchVariables }));
      expect(results).toEqual([{ data: found }]);
      await expectStreamedChat(rig.vendor, async (query, variables, onData) => {
        for await (const { data, errors } of client.iterate<ChatData>({ query, variables })) {
          expect(errors).toBeUndefined();
          if (data) onData(data);
        }
      });
      expect(sockets).toBe(1);
    } finally {
      await client.dispose();
    }
  });
});
