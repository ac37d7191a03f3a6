import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../../adapters/postgres/database.ts';
import type { CollectionRecord } from '../../../core/contracts/collection-store.ts';
import type { Tool, ToolIo } from '../../../core/contracts/tool.ts';
import type { Usage } from '../../../core/contracts/usage.ts';
import type { Models } from '../../../core/models/models.ts';
import { readDocumentTool } from '../../../core/tools/builtin/read-document.ts';
import { searchTool } from '../../../core/tools/builtin/search.ts';
import { aDocument, makeCollection, type RetrievalStores, retrievalStores } from '../../helpers/search-corpus.ts';
import { openTestDatabase } from '../../helpers/test-database.ts';
import { toolIo } from './rig.ts';

const tenant = 'zoo';
let database: Database & AsyncDisposable;
let stores: RetrievalStores;
let search: Tool;
let read: Tool;
let otters: { readonly id: string };

beforeAll(async () => {
  database = await openTestDatabase();
  stores = retrievalStores(database);
  const models: Pick<Models, 'embed'> = {
    async embed(_model, _text, { meter }) {
      meter.add({ inputTokens: 7, cachedInputTokens: 0, outputTokens: 0 }, null, false);
      return { vector: Float32Array.of(1, 0, 0), tokens: 7 };
    },
  };
  const { collections, documents, index: searchIndex } = stores;
  const limits = { maxFirst: 100, maxQueryChars: 1_000 };
  // A search without reranking only embeds.
  search = searchTool({ collections, searchIndex, models: models as Models, limits });
  read = readDocumentTool({ collections, documents });
  const fill = async (collection: CollectionRecord) =>
    documents.write(collection.tenant, collection.id, [
      aDocument('otters', ['Otters swim.', 'Otters eat fish.', 'Otters sleep.'], {
        ...{ title: 'Otters', url: 'https://zoo.example/otters', metadata: { year: 2024 } },
      }),
      aDocument('herons', ['Herons stand in rivers and eat fish.'], { metadata: { year: 2020 } }),
    ]);
  const zoo = await makeCollection(stores, tenant, 'default');
  await fill(zoo);
  await fill(await makeCollection(stores, 'another', 'secrets'));
  [otters = { id: '' }] = await documents.byExternalIds(tenant, zoo.id, ['otters']);
});
afterAll(() => database[Symbol.asyncDispose]());

const io = (parts: Partial<ToolIo> = {}) => toolIo({ tenant, ...parts });
const refused = (message: string) => ({ name: 'GatewayError', message: expect.stringContaining(message) });

it('search returns passages with their documents, to be cited and read on, and counts what it spends', async () => {
  const spent: Usage[] = [];
  const { value, sources } = await search.call(
    { query: 'otters eat', first: 2 },
    io({ spend: (use) => spent.push(use) }),
  );
  const [hit] = (value as { hits: readonly Record<string, unknown>[] }).hits;
  expect(hit).toEqual({
    ...{ passageId: expect.any(String), documentId: otters.id, externalId: 'otters', title: 'Otters' },
    ...{ url: 'https://zoo.example/otters', score: expect.any(Number), text: 'Otters eat fish.' },
  });
  expect(sources).toHaveLength(2);
  expect(sources?.[0]).toEqual({
    ...{ passageId: hit?.['passageId'], title: 'Otters', url: 'https://zoo.example/otters', text: 'Otters eat fish.' },
  });
  expect(spent).toMatchObject([{ inputTokens: 7, calls: 1 }]);
});

it('search looks where it is told to, and only there', async () => {
  const filter = { field: 'year', lessThan: 2022 };
  const { value } = await search.call({ query: 'fish', filter }, io());
  expect((value as { hits: readonly { externalId: string }[] }).hits.map(({ externalId }) => externalId)).toEqual([
    'herons',
  ]);
  await expect(search.call({ query: 'fish', filter: { field: 'year' } }, io())).rejects.toMatchObject(
    refused('filter must have exactly one of equals'),
  );
  await expect(search.call({ query: 'fish', in: 'secrets' }, io())).rejects.toMatchObject(
    refused('There is no collection "secrets"'),
  );
});

it('read_document reads a document page by page, found by either of its names', async () => {
  const byId = (await read.call({ documentId: otters.id, first: 2 }, io())).value as Record<string, unknown>;
  expect(byId).toMatchObject({
    ...{ externalId: 'otters', title: 'Otters', url: 'https://zoo.example/otters', totalPassages: 3, next: 2 },
    passages: [
      { position: 0, text: 'Otters swim.' },
      { position: 1, text: 'Otters eat fish.' },
    ],
  });
  const { value, sources } = await read.call({ externalId: 'otters', from: Number(byId['next']) }, io());
  expect(value).toMatchObject({
    documentId: otters.id,
    passages: [{ position: 2, text: 'Otters sleep.' }],
    next: null,
  });
  expect(sources).toMatchObject([{ title: 'Otters', text: 'Otters sleep.' }]);
});

it.each<[Record<string, string>, string]>([
  [{ documentId: 'nonsense' }, 'There is no document with documentId "nonsense"'],
  [{ externalId: 'bears' }, 'There is no document with externalId "bears" in default'],
  [{ externalId: 'otters', in: 'secrets' }, 'There is no collection "secrets"'],
  [{ externalId: 'otters\u0000' }, 'externalId must be text that can be stored'],
])('read_document says that there is none for %j', async (args, message) => {
  await expect(read.call(args, io())).rejects.toMatchObject(refused(message));
});

it('both keep to the tenant of the run', async () => {
  await expect(read.call({ documentId: otters.id }, io({ tenant: 'another' }))).rejects.toMatchObject(
    refused('There is no document'),
  );
  await expect(search.call({ query: 'otters' }, io({ tenant: 'another' }))).rejects.toMatchObject(
    refused('There is no collection "default"'),
  );
});
