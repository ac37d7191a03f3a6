import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingest, startGatewayWithVendor, type TestGateway } from '../helpers/gateway.ts';
import type { Vendor } from '../helpers/vendor/vendor.ts';
import { chat } from './chat/turn.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;

/** As many of each kind of node as the longer lists below have. */
const many = 20;

beforeAll(async () => {
  ({ gateway, vendor } = opened.use(await startGatewayWithVendor({ vendor: { defaults: { latencyMs: 20 } } })));
  const rivers = Array.from({ length: many }, (_, index) => ({
    externalId: `river-${index}`,
    title: `River ${index}`,
    // Longer than a passage, so that each document has several.
    text: `River ${index} runs through a valley where otters swim. ${`It carries water and sand number ${index} to the sea. `.repeat(40)}`,
  }));
  await ingest(gateway, rivers);
  // One run and one collection each.
  for (const [index, river] of rivers.entries()) {
    await gateway.data(`mutation { createCollection(input: { name: "valley-${index}" }) { collection { id } } }`);
    await ingest(gateway, [river], `valley-${index}`);
  }
  await Promise.all(
    rivers.map(({ title }) => chat(gateway, { message: `Where does ${title} run?`, retrieval: { first: 2 } })),
  );
}, 120_000);
afterAll(() => opened.disposeAsync());

const embeddingsCalls = () => vendor.calls('/embeddings').length;
/** The ledger writes what was spent, the instance says that it lives and looks for keys, by their own clocks, whoever asks for what. */
const onTheirOwn =
  /^(?:add-usage|api-keys.*|instance-heartbeat|runs-(?:take-over|expire)|maintenance.*|(?:reclaim|forget)-holds|(?:save|touch)-embeddings|purge.*)$/;
const countsOf = ({ statements }: TestGateway) => new Map([...statements].filter(([name]) => !onTheirOwn.test(name)));

/** The operation's data, and how often each statement ran for it. */
async function costOf<TData>(
  query: string,
  variables: object = {},
): Promise<{ data: TData; cost: Record<string, number> }> {
  const before = countsOf(gateway);
  const data = await gateway.data<TData, unknown>(query, variables);
  const more = [...countsOf(gateway)].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const);
  return { data, cost: Object.fromEntries(more.filter(([, count]) => count > 0)) };
}

/** Kept vectors are looked for once at most: not at all for a second after the database was slow to answer. */
function expectOneSearch({ 'find-embeddings': looked = 1, ...cost }: Readonly<Record<string, number>>): void {
  expect({ looked, ...cost }).toEqual({ looked: 1, 'collections-by-names': 1, search: 1 });
}

describe('searches of one operation', () => {
  it('cost one embeddings call and one search statement, be they one or twenty', async () => {
    for (const count of [1, 20]) {
      const aliases = Array.from(
        { length: count },
        (_, index) =>
          `s${index}: search(query: "${randomUUID()} otter ${index}", first: ${1 + index}) { edges { score highlights node { text document { title } } } }`,
      );
      const before = embeddingsCalls();
      const { data, cost } = await costOf<Record<string, { edges: unknown[] }>>(`{ ${aliases.join(' ')} }`);
      expect(embeddingsCalls() - before).toBe(1);
      expectOneSearch(cost);
      expect(Object.values(data).map(({ edges }) => edges.length)).toEqual(aliases.map((_, index) => 1 + index));
    }
  });

  it('are followed by as many statements for what stands below their results, be they two or twelve', async () => {
    const below =
      'nodes { document { collection { name } passages(first: 2) { edges { node { id } } } similar(first: 2) { node { id } } } }';
    const costs: unknown[] = [];
    for (const count of [2, 12]) {
      const aliases = Array.from(
        { length: count },
        (_, n) => `s${n}: search(query: "otter ${n} ${randomUUID()}") { ${below} }`,
      );
      const { 'find-embeddings': _, ...cost } = (await costOf(`{ ${aliases.join(' ')} }`)).cost;
      costs.push(cost);
    }
    expect(costs[1]).toEqual(costs[0]);
    expect(costs[0]).toMatchObject({ search: 1, similar: 1 });
  });

  it('that differ in mode, filter, page size and collection are one statement too', async () => {
    const before = embeddingsCalls();
    const { cost } = await costOf(`{
      a: search(query: "otters swim") { nodes { id } }
      b: search(query: "otters swim", mode: KEYWORD, first: 3) { nodes { id } }
      c: search(query: "sand and water", mode: VECTOR, perDocument: null) { nodes { id } }
      d: search(query: "to the sea", in: "valley-3", filter: { not: { field: "dry", exists: true } }) { nodes { id } }
    }`);
    expect(embeddingsCalls() - before).toBe(1);
    expectOneSearch(cost);
  });

  it('share their embeddings call with `embedding` fields beside them', async () => {
    const before = embeddingsCalls();
    const words = Array.from({ length: 10 }, () => randomUUID());
    const { data } = await costOf<Record<string, { dimensions?: number }>>(
      `{ found: search(query: "${words.join(' ')}") { nodes { id } } ${words
        .map((word, index) => `e${index}: embedding(text: "${word}") { dimensions }`)
        .join(' ')} }`,
    );
    expect(embeddingsCalls() - before).toBeLessThanOrEqual(2);
    expect(data['e9']?.dimensions).toBe(256);
  });
});

describe('requests that come together', () => {
  it('share embeddings calls: 64 of them make at most 8', async () => {
    const gate = Promise.withResolvers<void>();
    // A slow vendor, with the test's own patience instead of a clock's.
    const remove = vendor.when(({ path }) => path === '/embeddings', { hold: gate.promise });
    const before = { calls: embeddingsCalls(), searches: gateway.statements.get('collections-by-names') ?? 0 };
    const requests = Array.from({ length: 64 }, (_, index) =>
      gateway.data<{ search: { nodes: unknown[] } }, unknown>(
        `query Crowd($query: String!) { search(query: $query, first: 1) { nodes { id } } }`,
        { query: `crowd ${index} ${randomUUID()}` },
      ),
    );
    await expect
      .poll(() => (gateway.statements.get('collections-by-names') ?? 0) - before.searches, { timeout: 30_000 })
      .toBe(64);
    gate.resolve();
    const found = await Promise.all(requests);
    remove();
    expect(found.every(({ search }) => search.nodes.length === 1)).toBe(true);
    expect(embeddingsCalls() - before.calls).toBeLessThanOrEqual(8);
  });

  it('and ask for the same text send it once', async () => {
    const query = `the same ${randomUUID()}`;
    const before = embeddingsCalls();
    const ask = () => gateway.data(`query Same($query: String!) { search(query: $query) { nodes { id } } }`, { query });
    await Promise.all(Array.from({ length: 16 }, ask));
    await ask();
    const sent = vendor.calls('/embeddings').slice(before);
    const texts = sent.flatMap(({ body }) => (body as { readonly input: readonly string[] }).input);
    expect(texts).toEqual([query]);
  });
});

const passage = 'id position text document { title collection { name embeddingModel documentCount passageCount } }';
const document = `externalId title collection { name documentCount } passages(first: 2) { totalCount edges { node { ${passage} } } }
  similar(first: 2) { score node { ${passage} } }`;
const message = `id parentId role text finishReason model usage { calls inputTokens }
  citations { number quote passage { ${passage} } }`;
const messages = `messages { edges { node { ${message} } } }`;

interface Page {
  readonly edges: readonly { readonly node: Record<string, unknown> }[];
}

describe('a list with nested fields costs as many statements with 20 nodes as with 2', () => {
  const lists: Readonly<Record<string, string>> = {
    'search hits → document → collection, passages, similar': `query SearchList($first: Int!) {
      page: search(query: "Where do otters swim?", first: $first) { edges { node { ${passage} document { ${document} } } } }
    }`,
    'conversations → messages → citations → passage': `query ConversationList($first: Int!) {
      page: conversations(first: $first) { edges { node { id title ${messages} } } }
    }`,
    'chat runs → conversation, reply, events': `query ChatRunList($first: Int!) {
      page: runs(first: $first, kind: CHAT) { edges { node {
        status usage { calls } events(first: 100) { edges { node { seq } } } finished { status }
        ... on ChatRun { conversation { title ${messages} } reply { ${message} } finished { reply { text } } }
      } } }
    }`,
    'ingest runs → collection → documents → passages': `query IngestRunList($first: Int!) {
      page: runs(first: $first, kind: INGEST) { edges { node {
        status ... on IngestRun { documentsDone collection { name documentCount documents(first: 3) { totalCount edges { node { ${document} } } } } }
      } } }
    }`,
    'collections → documents → passages': `query CollectionList($first: Int!) {
      page: collections(first: $first) { edges { node { name documentCount passageCount
        documents(first: 3, filter: { not: { field: "dry", exists: true } }) { totalCount edges { node { ${document} } } } } } }
    }`,
  };

  it.each(Object.entries(lists))('%s', async (_name, query) => {
    // From here on the vector of a searched text is known.
    await gateway.data<unknown, unknown>(query, { first: 1 });
    const two = await costOf<{ page: Page }>(query, { first: 2 });
    const twenty = await costOf<{ page: Page }>(query, { first: many });
    expect([two, twenty].map(({ data }) => data.page.edges.length)).toEqual([2, many]);
    // None of the shapes is cheap because it found nothing: each node is as deep as the first.
    const [first] = two.data.page.edges;
    for (const { node } of twenty.data.page.edges) expect(depthOf(node)).toBe(depthOf(first?.node));
    expect(twenty.cost).toEqual(two.cost);
    expect(Object.keys(two.cost).length).toBeGreaterThan(0);
  });

  const types: Readonly<Record<string, string>> = {
    Passage: passage,
    Document: document,
    Collection: `name documentCount passageCount documents(first: 3) { totalCount edges { node { ${document} } } }`,
    Conversation: `title ${messages}`,
    Message: message,
    ChatRun: `status conversation { ${messages} } reply { ${message} }`,
    IngestRun: 'documentsDone collection { name documentCount } failures { message }',
  };

  it.each(Object.entries(types))('node(id) and nodes(ids) of %s', async (type, fields) => {
    const ids = (await idsByType()).get(type) ?? [];
    expect(ids).toHaveLength(many);
    const listed = (count: number) =>
      costOf<{ nodes: readonly { id: string; __typename: string }[] }>(
        `query Nodes($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on ${type} { ${fields} } } }`,
        { ids: ids.slice(0, count) },
      );
    const aliased = (count: number) =>
      costOf(
        `{ ${ids.slice(0, count).map((id, index) => `n${index}: node(id: "${id}") { ... on ${type} { ${fields} } }`)} }`,
      );
    const [two, twenty] = [await listed(2), await listed(many)];
    expect(twenty.data.nodes.map(({ id, __typename }) => [__typename, id])).toEqual(ids.map((id) => [type, id]));
    expect(twenty.cost).toEqual(two.cost);
    // 20 aliases of such a selection have more tokens than an operation may.
    expect((await aliased(8)).cost).toEqual(two.cost);
  });
});

/** Ids of 20 nodes of each type, all there are of most. */
async function idsByType(): Promise<Map<string, string[]>> {
  const { data } = await costOf<Record<string, unknown>>(`{
    search(query: "river", first: ${many}) { edges { node { __typename id document { __typename id } } } }
    conversations(first: ${many}) { edges { node { __typename id messages(last: 1) { edges { node { __typename id } } } } } }
    collections(first: ${many}) { edges { node { __typename id } } }
    chats: runs(first: ${many}, kind: CHAT) { edges { node { __typename id } } }
    ingests: runs(first: ${many}, kind: INGEST) { edges { node { __typename id } } }
  }`);
  const found = Map.groupBy(nodesIn(data), ({ type }) => type);
  return new Map([...found].map(([type, nodes]) => [type, [...new Set(nodes.map(({ id }) => id))]]));
}

function nodesIn(value: unknown): { readonly type: string; readonly id: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(nodesIn);
  return '__typename' in value && 'id' in value
    ? [{ type: String(value.__typename), id: String(value.id) }, ...inner]
    : inner;
}

/** How deep the lists and objects of a value are nested; only where there is something do they go on. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}
