import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { expectRefusal, startSmall } from './setup.ts';

const opened = new AsyncDisposableStack();
/** As it is without a configuration, but for the vendor: no model is loaded. */
let usual: TestGateway;
let small: TestGateway;
let vendor: Vendor;
beforeAll(async () => {
  ({ gateway: usual } = opened.use(await startGatewayWithVendor()));
  ({ gateway: small, vendor } = opened.use(await startSmall()));
});
afterAll(() => opened.disposeAsync());

describe('texts and lists', () => {
  const start = 'mutation ($input: StartChatInput!) { startChat(input: $input) { run { runId } } }';
  const ingest = `mutation ($input: StartIngestInput!) {
    startIngest(input: $input) { run { finished { documentsDone failures { externalId message } } } }
  }`;
  const document = (externalId: string, text = 'Otters swim.') => ({ externalId, text });

  it.each<[string, string, unknown]>([
    ['message', 'limits.maxMessageChars', { message: 'x'.repeat(1_001) }],
    ['system', 'limits.maxMessageChars', { message: 'Hello.', system: 'x'.repeat(1_001) }],
    [
      'history[0].text',
      'limits.maxMessageChars',
      { message: 'Hello.', history: [{ role: 'USER', text: 'x'.repeat(1_001) }] },
    ],
    [
      'history',
      'limits.maxHistoryMessages',
      { message: 'Hello.', history: Array.from({ length: 3 }, () => ({ role: 'USER', text: 'Hi.' })) },
    ],
    ['timeoutMs', 'timeouts.totalMs', { message: 'Hello.', timeoutMs: 30_001 }],
  ])('of a chat are bounded: %s by %s', async (field, name, input) => {
    const result = await small.request(start, { input });
    expectRefusal(result, 'BAD_INPUT', name);
    expect(result.errors?.[0]?.message).toContain(`${field} must`);
    expect(vendor.calls('/chat/completions')).toEqual([]);
  });

  it('of an ingest are bounded: their number for all, their length for each', async () => {
    const three = ['a', 'b', 'c'].map((id) => document(id));
    expectRefusal(
      await small.request(ingest, { input: { documents: three } }),
      'BAD_INPUT',
      'limits.maxDocumentsPerIngest',
    );
    expectRefusal(
      await small.request(ingest, { input: { documents: [] } }),
      'BAD_INPUT',
      'limits.maxDocumentsPerIngest',
    );
    const result = await small.data<Ingested, unknown>(ingest, {
      input: { documents: [document('a', 'x'.repeat(1_001)), document('b')] },
    });
    expect(result.startIngest.run.finished).toEqual({
      documentsDone: 1,
      failures: [{ externalId: 'a', message: expect.stringMatching(/1000 .*\(limits\.maxDocumentChars\), got 1001/) }],
    });
  });

  it('of ids are bounded too, since nodes has no pages', async () => {
    const query = 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }';
    const ids = (count: number) =>
      Array.from({ length: count }, () => Buffer.from(`Document:${randomUUID()}`).toString('base64url'));
    expect(await small.data(query, { ids: ids(100) })).toEqual({ nodes: Array.from({ length: 100 }, () => null) });
    expectRefusal(await small.request(query, { ids: ids(101) }), 'BAD_INPUT', 'limits.maxFirst');
  });

  it('of a search and an embedding are bounded, and their neighbours are whole', async () => {
    const query = `query ($query: String!, $text: String!) {
      search(query: $query) { nodes { id } } embedding(text: $text) { tokens } health { ok }
    }`;
    const { data, errors } = await small.request<Record<string, unknown>, unknown>(query, {
      query: 'x'.repeat(101),
      text: 'x'.repeat(1_001),
    });
    expect(data).toEqual({ search: null, embedding: null, health: { ok: true } });
    expect(errors?.map(({ path, message }) => [path?.[0], /\(limits\.\w+\)/.exec(message)?.[0]])).toEqual(
      expect.arrayContaining([
        ['search', '(limits.maxQueryChars)'],
        ['embedding', '(limits.maxMessageChars)'],
      ]),
    );
  });

  it('of 10 MB are refused by name, and the gateway goes on', async () => {
    const text = 'lamp '.repeat(2_000_000);
    expectRefusal(await usual.request(start, { input: { message: text } }), 'BAD_INPUT', 'limits.maxMessageChars');
    expectRefusal(
      await usual.request('query ($q: String!) { search(query: $q) { nodes { id } } }', { q: text }),
      'BAD_INPUT',
      'limits.maxQueryChars',
    );
    expectRefusal(
      await usual.request('query ($q: String!) { embedding(text: $q) { tokens } }', { q: text }),
      'BAD_INPUT',
      'limits.maxMessageChars',
    );
    const { startIngest } = await usual.data<Ingested, unknown>(ingest, {
      input: { documents: [document('a', text), document('b')] },
    });
    expect(startIngest.run.finished).toMatchObject({
      documentsDone: 1,
      failures: [{ externalId: 'a', message: expect.stringContaining('limits.maxDocumentChars') }],
    });
  });
});

interface Ingested {
  readonly startIngest: {
    readonly run: { readonly finished: { readonly documentsDone: number; readonly failures: readonly unknown[] } };
  };
}
