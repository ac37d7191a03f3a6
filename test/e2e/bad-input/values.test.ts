import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestGateway } from '../../helpers/gateway.ts';
import { expectRefused, type Hits, idOf, searchQuery, startWithAnimals } from './setup.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
beforeAll(async () => {
  ({ gateway } = opened.use(await startWithAnimals()));
});
afterAll(() => opened.disposeAsync());

describe('other input', () => {
  it.each<[string, string, Readonly<Record<string, unknown>>, string, RegExp]>([
    [
      'a name of a collection with a NUL',
      'query ($v: String!) { collection(name: $v) { id } }',
      { v: 'a\0' },
      'collection',
      /^name must .*NUL/,
    ],
    [
      'a new collection without a name',
      'mutation ($v: String!) { createCollection(input: { name: $v }) { collection { id } } }',
      { v: '' },
      'createCollection',
      /^name must be 1–100 letters/,
    ],
    [
      'a new collection with blanks in its name',
      'mutation ($v: String!) { createCollection(input: { name: $v }) { collection { id } } }',
      { v: 'a b' },
      'createCollection',
      /^name must be .*got "a b"/,
    ],
    [
      'a new collection of a model with a NUL',
      'mutation ($v: String!) { createCollection(input: { name: "c", embeddingModel: $v }) { collection { id } } }',
      { v: 'm\0' },
      'createCollection',
      /^model must .*NUL/,
    ],
    [
      'a new collection of a model that only chats',
      'mutation ($v: String!) { createCollection(input: { name: "c", embeddingModel: $v }) { collection { id } } }',
      { v: 'gpt-4.1-mini' },
      'createCollection',
      /"gpt-4\.1-mini".*EMBEDDING/,
    ],
    [
      'a collection to delete with a NUL',
      'mutation ($v: String!) { deleteCollection(name: $v) { deletedCount } }',
      { v: '\0' },
      'deleteCollection',
      /^name must .*NUL/,
    ],
    [
      'documents to delete in one with a NUL',
      'mutation ($v: String!) { deleteDocuments(in: $v, externalIds: ["a"]) { deletedCount } }',
      { v: '\0' },
      'deleteDocuments',
      /^in must .*NUL/,
    ],
    [
      'documents to delete by neither ids nor filter',
      'mutation ($v: String!) { deleteDocuments(in: $v) { deletedCount } }',
      { v: 'default' },
      'deleteDocuments',
      /exactly one of externalIds and filter, got neither/,
    ],
    [
      'documents to delete by both',
      'mutation ($v: String!) { deleteDocuments(in: $v, externalIds: [], filter: { field: "a", exists: true }) { deletedCount } }',
      { v: 'default' },
      'deleteDocuments',
      /got both/,
    ],
    [
      'an ingest into a collection with a NUL',
      'mutation ($v: String!) { startIngest(input: { in: $v, documents: [{ externalId: "a", text: "a" }] }) { run { id } } }',
      { v: '\0' },
      'startIngest',
      /^in must .*NUL/,
    ],
    [
      'an embedding of nothing',
      'query ($v: String!) { embedding(text: $v) { tokens } }',
      { v: ' ' },
      'embedding',
      /^text must hold at least one word/,
    ],
    [
      'an embedding of half a character',
      'query ($v: String!) { embedding(text: $v) { tokens } }',
      { v: '\udc00' },
      'embedding',
      /^text must .*surrogate.* position 0/,
    ],
    [
      'an embedding by a model without a name',
      'query ($v: String!) { embedding(text: "a", model: $v) { tokens } }',
      { v: '' },
      'embedding',
      /^model must be a name of 1–200/,
    ],
    [
      'an embedding by a model with a NUL',
      'query ($v: String!) { embedding(text: "a", model: $v) { tokens } }',
      { v: 'a\0' },
      'embedding',
      /^model must .*NUL/,
    ],
    [
      'conversations of a user with a NUL',
      'query ($v: String!) { conversations(user: $v) { edges { cursor } } }',
      { v: '\0' },
      'conversations',
      /^user must .*NUL/,
    ],
    [
      'a title that is too long',
      `mutation ($v: String!) { updateConversation(input: { id: "${idOf('Conversation')}", title: $v }) { conversation { id } } }`,
      { v: 'x'.repeat(201) },
      'updateConversation',
      /^title must be at most 200 characters, got 201/,
    ],
  ])('%s is BAD_INPUT that names it', async (_name, query, variables, path, message) => {
    expectRefused(await gateway.request(query, variables), path, 'BAD_INPUT', message);
  });

  it('in a document fails that document, and says what is wrong with it', async () => {
    const bad = [
      { externalId: 'nul', text: 'a\0b' },
      { externalId: 'surrogate', text: 'a\ud83d' },
      { externalId: 'blank', text: ' \n ' },
      { externalId: '', text: 'a' },
      { externalId: 'id\0', text: 'a' },
      { externalId: 'title', text: 'a', title: '\udc00' },
      { externalId: 'url', text: 'a', url: '\0' },
      { externalId: 'metadata', text: 'a', metadata: { '\0': 1 } },
      { externalId: 'good', text: 'a' },
    ];
    const good = { externalId: 'good', text: 'Voles hide.', title: null, url: null, metadata: null };
    const { startIngest } = await gateway.data<Ingested, unknown>(ingestMutation, { documents: [good, ...bad] });
    const { documentsDone, failures } = startIngest.run.finished;
    expect(documentsDone).toBe(1);
    expect(failures.map(({ externalId, message }) => `${externalId}: ${message}`)).toEqual([
      expect.stringMatching(/^nul: text must .*NUL character at position 1/),
      expect.stringMatching(/^surrogate: text must .*surrogate.* at position 1/),
      expect.stringMatching(/^blank: text must hold at least one word/),
      expect.stringMatching(/^: externalId must be 1–500 characters, got 0/),
      expect.stringMatching(/^id\ufffd: externalId must .*NUL/),
      expect.stringMatching(/^title: title must .*surrogate/),
      expect.stringMatching(/^url: url must .*NUL/),
      expect.stringMatching(/^metadata: a name in metadata must .*NUL/),
      expect.stringMatching(/^good: externalId stands twice/),
    ]);
  });

  it.each([
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+14:00',
    '9999-12-31T23:59:59-14:00',
    '1969-12-31T23:59:59.999Z',
  ])('may be a time of any year: usage since %s', async (since) => {
    const query = 'query ($since: DateTime) { viewer { usage(since: $since) { total { calls } } } }';
    expect((await gateway.request(query, { since })).errors).toBeUndefined();
  });
});

const ingestMutation = `mutation ($documents: [DocumentInput!]!) {
  startIngest(input: { documents: $documents }) { run { finished { documentsDone failures { externalId message } } } }
}`;
interface Ingested {
  readonly startIngest: {
    readonly run: {
      readonly finished: {
        readonly documentsDone: number;
        readonly failures: readonly { readonly externalId: string; readonly message: string }[];
      };
    };
  };
}

it('a model whose name cannot be stored does not hold up the usage of everybody else', async () => {
  const { search } = await gateway.data<{ search: Hits }, unknown>(searchQuery);
  const id = search.edges[0]?.node.document.id;
  const summary =
    'query ($id: ID!, $model: String) { node(id: $id) { ... on Document { summary(model: $model) { text } } } }';
  const { errors } = await gateway.request(summary, { id, model: 'm\0' });
  expect(errors).toMatchObject([
    { extensions: { code: 'BAD_INPUT' }, message: expect.stringMatching(/^model must .*NUL/) },
  ]);
  const usageQuery = '{ viewer { usage { total { calls } } } }';
  const before = await gateway.data<UsageTotal, unknown>(usageQuery);
  await gateway.data(summary, { id });
  const after = await gateway.data<UsageTotal, unknown>(usageQuery);
  expect(after.viewer.usage.total.calls).toBe(before.viewer.usage.total.calls + 1);
});

interface UsageTotal {
  readonly viewer: { readonly usage: { readonly total: { readonly calls: number } } };
}
