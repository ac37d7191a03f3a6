import { createClient } from 'graphql-sse';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

describe('graphql-sse with distinct connections', () => {
  it('runs a query and a streamed chat', async () => {
    const client = createClient({ url: `${rig.gateway.url}/stream`, retryAttempts: 0 });
    try {
      const results = await resultsOf(client.iterate({ query: searchQuery, variables: searchVariables }));
      expect(results).toEqual([{ data: found }]);
      await expectStreamedChat(rig.vendor, async (query, variables, onData) => {
        for await (const { data, errors } of client.iterate<ChatData>({ query, variables })) {
          expect(errors).toBeUndefined();
          if (data) onData(data);
        }
      });
    } finally {
      client.dispose();
    }
  });

  it('is told to use them when it asks for a single connection', async () => {
    const client = createClient({ url: `${rig.gateway.url}/stream`, singleConnection: true, retryAttempts: 0 });
    try {
      const results = resultsOf(client.iterate({ query: searchQuery, variables: searchVariables }));
      await expect(results).rejects.toMatchObject({ response: { status: 405 } });
    } finally {
      client.dispose();
    }
  });
});
