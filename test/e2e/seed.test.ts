import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../adapters/postgres/open-database.ts';
import { temporaryDataDirectory } from '../helpers/embedded-database.ts';
import { startGateway, startGatewayWithVendor, type TestGateway } from '../helpers/gateway.ts';
import { aDocument, makeCollection, retrievalStores } from '../helpers/search-corpus.ts';
import { storedIn } from './search/ingest-run.ts';

const root = new URL('../../', import.meta.url);
const opened = new AsyncDisposableStack();
/** As on a new machine: nothing set, and a database without a row. (test/deploy/ starts on a directory that holds nothing at all.) */
const first = { environment: { SLUICE_SEED_DOCS: 'true' } };
let dataDir: string;
let gateway: TestGateway;
let readme: string;
beforeAll(async () => {
  readme = await readFile(new URL('README.md', root), 'utf8');
  dataDir = opened.use(await temporaryDataDirectory()).path;
  gateway = opened.use(await startGateway({ ...first, dataDir }));
}, 180_000);
afterAll(() => opened.disposeAsync());

/** The operation of the nth curl command of the README, as the shell would hand it over. */
function readmeOperation(nth: number): string {
  const bodies = [...readme.matchAll(/-d '(\{"query":[\s\S]*?\})'\n/g)].map(([, body = '']) => body);
  // JSON takes no bare line breaks in a text; GraphQL, which reads the text, would.
  const { query } = JSON.parse((bodies[nth] ?? '').replace(/\n\s*/g, ' ')) as { query: string };
  return query;
}

async function shippedDocs(): Promise<Map<string, string>> {
  const folder = new URL('docs/', root);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.md'));
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(new URL(name, folder), 'utf8')] as const)),
  );
}

describe('the first start', () => {
  it('puts the docs, and nothing else, into the default collection', async () => {
    const [docs, stored] = [await shippedDocs(), await storedIn(gateway, 'default')];
    expect([...(stored?.keys() ?? [])].sort()).toEqual([...docs.keys()].sort());
    for (const [name, text] of docs) {
      const { title, metadata, texts } = stored?.get(name) ?? expect.unreachable();
      expect(title).toBe(/^# (.+)$/m.exec(text)?.[1]);
      expect(metadata).toEqual({ source: 'sluice-docs' });
      expect(texts.length).toBeGreaterThan(1);
      for (const passage of texts) expect(text).toContain(passage);
    }
  });

  it('answers the first query of the README', async () => {
    const { search } = await gateway.data<
      { search: { nodes: { document: { title: string } }[]; edges: { score: number }[] } },
      unknown
    >(readmeOperation(0));
    expect(search.nodes).toHaveLength(2);
    expect(search.nodes.map(({ document }) => document.title).join()).toMatch(/Chat|Runs|Transports|Getting started/);
    expect(search.edges[0]?.score).toBeGreaterThan(0.5);
  });

  it('answers the first subscription of the README: a cited answer in many pieces, saved as it was streamed', async () => {
    const response = await fetch(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: readmeOperation(1) }),
    });
    const events = [...(await response.text()).matchAll(/^data: (\{.*\})$/gm)].map(
      ([, data = '']) => (JSON.parse(data) as { data: { chat: ChatEvent } }).data.chat,
    );
    const deltas = events.flatMap(({ delta }) => delta ?? []);
    const cited = events.flatMap(({ citation }) => citation ?? []);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)?.__typename).toBe('RunFinished');
    expect(deltas.length).toBeGreaterThan(1);
    expect(cited.length).toBeGreaterThan(0);

    const { runs } = await gateway.data<{ runs: { edges: { node: { reply: Reply } }[] } }, unknown>(
      `{ runs(first: 1, kind: CHAT) { edges { node { ... on ChatRun { reply { text model
        citations { number quote passage { text document { externalId } } } } } } } } }`,
    );
    const reply = runs.edges[0]?.node.reply ?? expect.unreachable();
    expect(reply).toMatchObject({ text: deltas.join(''), model: 'extractive' });
    expect(reply.citations.map(({ number, quote }) => ({ number, quote }))).toEqual(cited);
    const docs = await shippedDocs();
    for (const { number, quote, passage } of reply.citations) {
      expect(reply.text).toContain(`[${number}]`);
      expect(passage?.text).toContain(quote);
      expect(docs.get(passage?.document.externalId ?? '')).toContain(quote);
    }
  });

  it('gives them vectors in the background', async () => {
    const found = async () =>
      (
        await gateway.data<{ search: { edges: { vectorScore: number }[] } }, unknown>(
          '{ search(query: "how are answers cited?", mode: VECTOR) { edges { vectorScore } } }',
        )
      ).search.edges.length;
    await expect.poll(found, { timeout: 50_000, interval: 200 }).toBeGreaterThan(0);
  });
});

describe('a second start', () => {
  it('does not seed again: what was deleted stays away, and what is there stays as it is', async () => {
    await gateway.data('mutation { deleteDocuments(in: "default", externalIds: ["errors.md"]) { deletedCount } }');
    const before = await storedIn(gateway, 'default');
    await gateway.close();
    await using again = await startGateway({ ...first, dataDir });
    expect(again.statements.get('documents-upsert')).toBeUndefined();
    const after = await storedIn(again, 'default');
    expect(after?.has('errors.md')).toBe(false);
    expect(after).toEqual(before);
  });
});

it('a start goes on with the seeding of one that was cut short', async () => {
  await using directory = await temporaryDataDirectory();
  const database = await openDatabase({ dataDir: directory.path });
  const stores = retrievalStores(database);
  const { id } = await makeCollection(stores, 'default', '.default', 384);
  await stores.documents.write('default', id, [aDocument('errors.md', ['Old.'])]);
  await database.close();
  await using again = await startGateway({ ...first, dataDir: directory.path });
  const stored = await storedIn(again, 'default');
  expect([...(stored?.keys() ?? [])].sort()).toEqual([...(await shippedDocs()).keys()].sort());
  expect(stored?.get('errors.md')?.title).toBe('Errors');
  const { collections } = await again.data<{ collections: { edges: { node: { name: string } }[] } }, unknown>(
    '{ collections { edges { node { name } } } }',
  );
  expect(collections.edges).toEqual([{ node: { name: 'default' } }]);
});

it('SLUICE_SEED_DOCS=false leaves the default collection empty, but there', async () => {
  await using empty = await startGatewayWithVendor({ environment: { SLUICE_SEED_DOCS: 'false' } });
  const { collection, search } = await empty.gateway.data<Record<'collection' | 'search', unknown>, unknown>(
    '{ collection(name: "default") { documentCount passageCount } search(query: "how are answers cited?") { nodes { id } } }',
  );
  expect(collection).toEqual({ documentCount: 0, passageCount: 0 });
  expect(search).toEqual({ nodes: [] });
});

interface ChatEvent {
  readonly __typename: string;
  readonly seq: number;
  readonly delta?: string;
  readonly citation?: { readonly number: number; readonly quote: string };
}

interface Reply {
  readonly text: string;
  readonly model: string;
  readonly citations: readonly {
    readonly number: number;
    readonly quote: string;
    readonly passage: { readonly text: string; readonly document: { readonly externalId: string } } | null;
  }[];
}
