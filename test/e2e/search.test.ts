import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingest, startGateway, startGatewayWithVendor, type TestGateway } from '../helpers/gateway.ts';
import type { VendorCall } from '../helpers/vendor/journal.ts';
import { startVendor, type Vendor } from '../helpers/vendor/vendor.ts';
import { type HitView, hitFields, idsOf, type ResultView, search, searchError } from './search/hits.ts';

const opened = new AsyncDisposableStack();
/** The local models: they know what words mean. */
let gateway: TestGateway;
beforeAll(async () => {
  gateway = opened.use(await startGateway());
  await ingest(gateway, notes);
  await ingest(gateway, [manual, ...leaflets]);
});
afterAll(() => opened.disposeAsync());

const notes = [
  {
    externalId: 'refused',
    title: 'Connection refused',
    text: 'ECONNREFUSED means that nobody listens at that port of the machine.',
    metadata: { topic: 'network', year: 2021, tags: ['tcp', 'port'], draft: false, author: { name: 'Ada' } },
  },
  {
    externalId: 'cat',
    title: 'Cats',
    text: 'The cat sleeps on the sofa for most of the day and hunts at night.',
    metadata: { topic: 'animals', year: 2019, tags: ['pet'], weight: 4.5, author: { name: 'Bea' } },
  },
  {
    externalId: 'doctor',
    title: 'When to see a doctor',
    text: 'A physician should be consulted when fever lasts longer than three days.',
    metadata: { topic: 'health', year: '2021', draft: true, note: null },
  },
  {
    externalId: 'bread',
    title: 'Sourdough bread',
    text: 'Mix flour, water and salt, let the dough rise overnight, and bake it in a hot oven.',
    metadata: { topic: 'food', year: 2024, 'a.b': 'dotted', published: '2024-03-31' },
  },
  {
    externalId: 'script',
    title: 'Escaping <b>HTML</b>',
    text: `Never print <script>alert("x")</script> & friends: it's List<String> that escapes wombats, <mark>not</mark> you.`,
    metadata: {},
  },
];

/** A document of many passages about one thing, and short ones about the same. */
const manual = {
  externalId: 'manual',
  title: 'Manual of the turbine',
  text: Array.from(
    { length: 12 },
    (_, index) =>
      `The turbine of hall ${index} is oiled on day ${index}. ${'Its blades are looked at by a person. '.repeat(20)}`,
  ).join('\n\n'),
  metadata: { topic: 'turbines' },
};
const leaflets = Array.from({ length: 18 }, (_, index) => ({
  externalId: `leaflet-${index}`,
  title: `Leaflet ${index}`,
  text: `A turbine needs oil and care in year ${index}.`,
  metadata: { topic: 'turbines', number: index },
}));

describe('KEYWORD', () => {
  it('finds by words in any form, and makes no embeddings call', async () => {
    const { edges, timings } = await search(gateway, { query: 'sleeping cats', mode: 'KEYWORD' });
    expect(idsOf({ edges })).toEqual(['cat']);
    expect(edges[0]).toMatchObject({ score: 1, vectorScore: null, keywordScore: expect.any(Number) });
    expect(timings.embedMs).toBe(0);
    expect(idsOf(await search(gateway, { query: 'econnrefused', mode: 'KEYWORD' }))).toEqual(['refused']);
  });

  it('finds any of the words: a longer question does not find less', async () => {
    const short = await search(gateway, { query: 'sofa', mode: 'KEYWORD' });
    const long = await search(gateway, { query: 'Please, who sleeps on the sofa or in the oven?', mode: 'KEYWORD' });
    expect(idsOf(short)).toEqual(['cat']);
    expect(new Set(idsOf(long))).toEqual(new Set(['cat', 'bread']));
  });

  it('finds nothing by words that are nowhere, or that say nothing', async () => {
    for (const query of ['quasar', 'what is the', '???']) {
      const { edges, pageInfo } = await search(gateway, { query, mode: 'KEYWORD' });
      expect({ query, edges, pageInfo }).toEqual({
        query,
        edges: [],
        pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
      });
    }
  });

  it('finds a word in whichever form of Unicode it is asked for or was ingested', async () => {
    await ingest(gateway, [
      { externalId: 'unicode', title: 'Zu\u0308rich', text: 'A cre\u0300me bru\u0302le\u0301e.' },
    ]);
    for (const query of ['brûlée', 'bru\u0302le\u0301e', 'Zürich', 'Zu\u0308rich'])
      expect({ query, ids: idsOf(await search(gateway, { query, mode: 'KEYWORD' })) }).toEqual({
        query,
        ids: ['unicode'],
      });
  });
});

describe('VECTOR', () => {
  it('finds by meaning what shares no word with the query', async () => {
    const query = 'feline that naps on a couch';
    expect(idsOf(await search(gateway, { query, mode: 'KEYWORD' }))).toEqual([]);
    const { edges } = await search(gateway, { query, mode: 'VECTOR' });
    expect(idsOf({ edges })[0]).toBe('cat');
    for (const { score, vectorScore, keywordScore } of edges) {
      expect(keywordScore).toBeNull();
      expect(score).toBeCloseTo(Math.max(0, vectorScore ?? -1), 9);
    }
  });
});

describe('HYBRID', () => {
  it('is the default, and finds by meaning and by words alike', async () => {
    expect(idsOf(await search(gateway, { query: 'feline that naps on a couch' }))[0]).toBe('cat');
    expect(idsOf(await search(gateway, { query: 'ECONNREFUSED' }))[0]).toBe('refused');
    const query = 'Which medical expert helps against fever?';
    expect(await ranked({ query })).toEqual(await ranked({ query, mode: 'HYBRID', first: 10, perDocument: 1 }));
  });

  it('scores as the docs say: half of each leg, stretched over the candidates', async () => {
    const { edges, pageInfo } = await search(gateway, {
      query: 'How is the turbine of hall 7 oiled?',
      first: 100,
      perDocument: null,
    });
    // All candidates are on this page, so that their extremes are known.
    expect(pageInfo.hasNextPage).toBe(false);
    expect(edges.length).toBeGreaterThan(30);
    const stretched = (of: (hit: HitView) => number) => {
      const values = edges.map(of);
      const [low, high] = [Math.min(...values), Math.max(...values)];
      return (hit: HitView) => (of(hit) - low) / (high - low);
    };
    const byWords = stretched(({ keywordScore }) => keywordScore ?? Number.NaN);
    const byMeaning = stretched(({ vectorScore }) => vectorScore ?? Number.NaN);
    for (const hit of edges) expect(hit.score).toBeCloseTo((byWords(hit) + byMeaning(hit)) / 2, 9);
    expect(edges.map(({ score }) => score)).toEqual(edges.map(({ score }) => score).sort((a, b) => b - a));
  });

  const ranked = async (variables: Parameters<typeof search>[1]) =>
    (await search(gateway, variables)).edges.map(({ node, score }) => [node.id, score]);
});

describe('a filter', () => {
  const field = (name: string, operator: object) => ({ field: name, ...operator });
  const topic = (equals: string) => field('topic', { equals });
  const cases: [string, object, string[]][] = [
    ['equals a text', topic('food'), ['bread']],
    ['equals a number, not the text of it', field('year', { equals: 2021 }), ['refused']],
    ['equals a text, not the number in it', field('year', { equals: '2021' }), ['doctor']],
    ['equals false, not absence', field('draft', { equals: false }), ['refused']],
    ['equals null, not absence', field('note', { equals: null }), ['doctor']],
    ['equals a list', field('tags', { equals: ['tcp', 'port'] }), ['refused']],
    ['equals an object', field('author', { equals: { name: 'Bea' } }), ['cat']],
    ['equals by a path', field('author.name', { equals: 'Ada' }), ['refused']],
    ['equals under a name with a dot', field('a.b', { equals: 'dotted' }), ['bread']],
    ['in', field('topic', { in: ['food', 'health', 'music'] }), ['bread', 'doctor']],
    ['in of several types', field('year', { in: [2019, '2021', true] }), ['cat', 'doctor']],
    ['greaterThan a number', field('year', { greaterThan: 2020 }), ['bread', 'refused']],
    ['greaterThan, which is not at least', field('year', { greaterThan: 2024 }), []],
    ['lessThan a decimal', field('weight', { lessThan: 4.75 }), ['cat']],
    ['greaterThan of texts', field('published', { greaterThan: '2024-01-01' }), ['bread']],
    ['lessThan of texts does not see numbers', field('year', { lessThan: '3' }), ['doctor']],
    ['exists', field('author', { exists: true }), ['cat', 'refused']],
    ['exists of null', field('note', { exists: true }), ['doctor']],
    ['exists: false', { all: [field('topic', { exists: true }), field('year', { exists: false })] }, ['manual']],
    ['all', { all: [field('year', { greaterThan: 2020 }), topic('network')] }, ['refused']],
    ['any', { any: [topic('network'), topic('animals')] }, ['cat', 'refused']],
    ['not', { all: [field('year', { exists: true }), { not: topic('food') }] }, ['cat', 'doctor', 'refused']],
    ['not, of what is absent', { all: [topic('food'), { not: field('nothing', { equals: 1 }) }] }, ['bread']],
    [
      'any in all in not',
      { not: { all: [{ any: [topic('turbines'), field('topic', { exists: false })] }] } },
      ['bread', 'cat', 'doctor', 'refused'],
    ],
    ['hostile text as it is', field("topic' or true --", { equals: "x'; drop table documents; --" }), []],
  ];

  /** The leaflets would only make the lists long. */
  const kept = (filter: object) => ({ all: [{ not: { field: 'number', exists: true } }, filter] });

  it.each(cases)('%s holds in every mode, and for a list of documents', async (_name, filter, expected) => {
    // Everything has a meaning, and is near or far; so VECTOR lists all that pass.
    const variables = { query: 'oven sofa turbine fever port', filter: kept(filter), first: 100 };
    const byMeaning = idsOf(await search(gateway, { ...variables, mode: 'VECTOR' }));
    expect(byMeaning.toSorted()).toEqual(expected);
    expect(idsOf(await search(gateway, variables)).toSorted()).toEqual(expected);
    expect(idsOf(await search(gateway, { ...variables, mode: 'KEYWORD' })).toSorted()).toEqual(expected);
    const { collection } = await gateway.data<
      { collection: { documents: { totalCount: number; edges: { node: { externalId: string } }[] } } },
      unknown
    >(
      `query Filtered($filter: MetadataFilter) { collection(name: "default") { documents(first: 100, filter: $filter) {
        totalCount edges { node { externalId } } } } }`,
      { filter: kept(filter) },
    );
    const listed = collection.documents.edges.map(({ node }) => node.externalId);
    expect(listed.toSorted()).toEqual(expected);
    expect(collection.documents.totalCount).toBe(expected.length);
  });

  it('can stand in the operation itself, literal by literal', async () => {
    const { search: found } = await gateway.data<{ search: ResultView }, unknown>(`{
      search(query: "anything", mode: VECTOR, filter: { all: [
        { field: "year", in: [2019, 2021, 2024] }
        { any: [{ field: "draft", equals: false }, { field: "weight", greaterThan: 4.4 }] }
        { not: { field: "author", equals: { name: "Bea" } } }
        { field: "note", exists: false }
      ] }) { ${hitFields} }
    }`);
    expect(idsOf(found)).toEqual(['refused']);
  });
});

describe('highlights', () => {
  it('mark the words that were found, and escape all else', async () => {
    const { edges } = await search(gateway, { query: 'which wombat escapes <script>?', first: 1 });
    expect(edges[0]?.node.document).toEqual({ externalId: 'script', title: 'Escaping <b>HTML</b>' });
    const joined = edges[0]?.highlights.join('\n') ?? '';
    expect(joined).toContain('<mark>wombats</mark>');
    expect(joined).toContain('<mark>escapes</mark>');
    expect(joined).toMatch(/&lt;(<mark>)?script(<\/mark>)?&gt;/);
    const rest = joined.replaceAll('<mark>', '').replaceAll('</mark>', '');
    expect(rest).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|#39);)/);
    // The text itself comes as it is: escaping belongs to HTML.
    expect(edges[0]?.node.text).toBe(notes.at(-1)?.text);
  });

  it('are none where no word was found', async () => {
    const { edges } = await search(gateway, { query: 'feline couch', mode: 'VECTOR', first: 1 });
    expect(edges[0]).toMatchObject({ highlights: [], node: { document: { externalId: 'cat' } } });
  });
});

describe('pages', () => {
  const variables = { query: 'oil for a turbine', filter: { field: 'topic', equals: 'turbines' } };

  it.each([
    ['HYBRID', 1],
    ['HYBRID', null],
    ['KEYWORD', 3],
    ['VECTOR', null],
  ])(
    'of %s with perDocument %s go through all hits, each once, in the order of one large page',
    async (mode, perDocument) => {
      const rest = { ...variables, mode, perDocument };
      const whole = await search(gateway, { ...rest, first: 100 });
      expect(whole.pageInfo).toEqual({
        hasNextPage: false,
        hasPreviousPage: false,
        startCursor: whole.edges[0]?.cursor,
        endCursor: whole.edges.at(-1)?.cursor,
      });
      const paged: HitView[] = [];
      for (let after: string | null = null; ; ) {
        const page: ResultView = await search(gateway, { ...rest, first: 4, ...(after === null ? {} : { after }) });
        expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
        paged.push(...page.edges);
        after = page.pageInfo.endCursor;
        if (!page.pageInfo.hasNextPage) break;
        expect(page.edges).toHaveLength(4);
      }
      expect(paged).toEqual(whole.edges);
      expect(new Set(paged.map(({ node }) => node.id)).size).toBe(paged.length);
      expect(paged.length).toBeGreaterThan(15);
    },
  );

  it('go on after any hit, with pages of another size, and are empty after the last', async () => {
    const { edges } = await search(gateway, { ...variables, first: 10 });
    const next = await search(gateway, { ...variables, first: 5, after: edges[2]?.cursor });
    expect(next.edges).toEqual(edges.slice(3, 8));
    const all = await search(gateway, { ...variables, first: 100 });
    const beyond = await search(gateway, { ...variables, after: all.pageInfo.endCursor });
    expect(beyond).toMatchObject({ edges: [], pageInfo: { hasNextPage: false, hasPreviousPage: true } });
  });

  it('do not take the cursor of another search', async () => {
    const { pageInfo } = await search(gateway, { ...variables, first: 2 });
    for (const other of [{ query: 'oil' }, { mode: 'KEYWORD' }, { perDocument: 2 }, { filter: null }]) {
      expect(await searchError(gateway, { ...variables, after: pageInfo.endCursor, ...other })).toMatch(
        /^BAD_INPUT: after must be a cursor of this list/,
      );
    }
  });
});

describe('perDocument', () => {
  const passagesOfManual = async (perDocument?: number | null) => {
    const variables = { query: 'Which turbine is oiled on its day?', first: 100 };
    const result = await search(gateway, perDocument === undefined ? variables : { ...variables, perDocument });
    return result.edges.filter(({ node }) => node.document.externalId === 'manual');
  };

  it('bounds the passages of one document: 1, 3, all; and is 1 unless it is given', async () => {
    const every = await passagesOfManual(null);
    expect(every.length).toBe(new Set(every.map(({ node }) => node.position)).size);
    expect(every.length).toBeGreaterThan(5);
    expect(await passagesOfManual(3)).toEqual(every.slice(0, 3).map((hit) => ({ ...hit, cursor: expect.any(String) })));
    expect(await passagesOfManual(1)).toEqual([{ ...every[0], cursor: expect.any(String) }]);
    expect(await passagesOfManual()).toEqual(await passagesOfManual(1));
  });

  it.each([0, -1, 1_001])('of %i is refused', async (perDocument) => {
    expect(await searchError(gateway, { query: 'turbine', perDocument })).toBe(
      `BAD_INPUT: perDocument must be 1–1000, got ${perDocument}`,
    );
  });
});

describe('similar', () => {
  interface Neighbours {
    readonly nodes: readonly {
      readonly document: { readonly externalId: string; readonly similar: readonly HitView[] };
    }[];
  }
  const similarFields =
    'similar(first: $first) { cursor score vectorScore keywordScore highlights node { text document { externalId } } }';
  const neighbours = `query Similar($first: Int!, $query: String!) {
    search(query: $query, first: 5) { nodes { document { externalId ${similarFields} } } } }`;

  it('lists the nearest documents of the collection, each once, without the document itself', async () => {
    await gateway.data('mutation { createCollection(input: { name: "apart" }) { collection { id } } }');
    await ingest(gateway, [{ externalId: 'twin', title: 'Cats', text: notes[1]?.text ?? '' }], 'apart');
    const { search: found } = await gateway.data<{ search: Neighbours }, unknown>(neighbours, {
      first: 7,
      query: 'turbine care',
    });
    expect(found.nodes).toHaveLength(5);
    for (const { document } of found.nodes) {
      const ids = idsOf({ edges: document.similar });
      expect(ids).toHaveLength(7);
      expect(new Set(ids).size).toBe(7);
      expect(ids).not.toContain(document.externalId);
      expect(ids).not.toContain('twin');
      expect(ids.filter((id) => /leaflet|manual/.test(id)).length).toBe(7);
      for (const { score, vectorScore, keywordScore } of document.similar)
        expect({ score, keywordScore }).toEqual({ score: vectorScore, keywordScore: null });
      const scores = document.similar.map(({ score }) => score);
      expect(scores).toEqual(scores.toSorted((left, right) => right - left));
    }
  });

  it('of a collection of one is empty, and a wrong first fails alone', async () => {
    const { data, errors } = await gateway.request<Record<'alone' | 'wrong', Neighbours | null>, unknown>(
      `{ alone: search(query: "cat", in: "apart") { nodes { document { externalId similar { score } } } }
         wrong: search(query: "cat", in: "apart") { nodes { document { externalId similar(first: 0) { score } } } } }`,
    );
    expect(data).toEqual({ alone: { nodes: [{ document: { externalId: 'twin', similar: [] } }] }, wrong: null });
    expect(errors?.map(({ message, path }) => [message, path?.[0]])).toEqual([['first must be 1–100, got 0', 'wrong']]);
  });
});

describe('a summary without a key', () => {
  it('of a result and of each document cites passages by what is literally in them', async () => {
    const cited = 'text model citations { number quote title passage { id text } }';
    interface Cited {
      readonly text: string;
      readonly citations: readonly {
        readonly number: number;
        readonly quote: string;
        readonly passage: { readonly text: string } | null;
      }[];
    }
    const { search: found } = await gateway.data<
      { search: { summary: Cited; nodes: readonly { document: { summary: Cited } }[] } },
      unknown
    >(`{ search(query: "How is a turbine oiled?", first: 6, perDocument: null) {
      summary { ${cited} } nodes { document { summary(maxWords: 40) { ${cited} } } }
    } }`);
    const summaries = [found.summary, ...found.nodes.map(({ document }) => document.summary)];
    expect(summaries).toHaveLength(7);
    for (const { text, citations } of summaries) {
      expect(citations.length).toBeGreaterThan(0);
      expect(citations.map(({ number }) => number)).toEqual(citations.map((_, index) => index + 1));
      for (const { number, quote, passage } of citations) {
        expect(text).toContain(`[${number}]`);
        expect(quote).not.toBe('');
        expect(passage?.text).toContain(quote);
      }
    }
  });
});

describe('with a vendor', () => {
  let vendor: Vendor;
  let withVendor: TestGateway;
  beforeAll(async () => {
    ({ vendor, gateway: withVendor } = opened.use(await startGatewayWithVendor()));
    await ingest(withVendor, notes);
  });
  const textsIn = ({ body }: VendorCall) => (body as { input?: readonly string[] } | null)?.input ?? [];

  it('one alias that fails leaves the others whole, whatever it fails by', async () => {
    const remove = vendor.when((call) => textsIn(call).some((text) => text.includes('unspeakable')), {
      status: 400,
      error: { message: 'I do not embed this.' },
    });
    const good = Array.from({ length: 16 }, (_, index) => `good${index}: search(query: "sofa ${index}", first: 1)`);
    const bad: Readonly<Record<string, string>> = {
      collection: 'search(query: "sofa", in: "nowhere")',
      query: 'search(query: "  ")',
      cursor: 'search(query: "sofa", after: "bogus")',
      refused: 'search(query: "unspeakable")',
      filter: 'search(query: "sofa", filter: {})',
      page: 'search(query: "sofa", first: 101)',
    };
    const aliases = [...good, ...Object.entries(bad).map(([name, field]) => `${name}: ${field}`)];
    const operation = `{ ${aliases.map((alias) => `${alias} { ${hitFields} }`).join(' ')} }`;
    const { data, errors } = await withVendor.request<Record<string, ResultView | null>, unknown>(operation);
    remove();
    expect(new Set(errors?.map(({ path }) => path?.join('.')))).toEqual(new Set(Object.keys(bad)));
    expect(Object.fromEntries(errors?.map(({ path, extensions }) => [path?.[0], extensions.code]) ?? [])).toEqual({
      collection: 'NOT_FOUND',
      query: 'BAD_INPUT',
      cursor: 'BAD_INPUT',
      refused: 'UPSTREAM_REJECTED',
      filter: 'BAD_INPUT',
      page: 'BAD_INPUT',
    });
    for (const index of good.keys()) expect(idsOf(data?.[`good${index}`] ?? expect.unreachable())).toEqual(['cat']);
    for (const name of Object.keys(bad)) expect(data?.[name]).toBeNull();
  });

  it('KEYWORD asks it nothing, and the others once for all aliases', async () => {
    const before = vendor.calls().length;
    await search(withVendor, { query: 'a sofa never seen before', mode: 'KEYWORD' });
    expect(vendor.calls()).toHaveLength(before);
    await withVendor.data(
      `{ a: search(query: "one sofa", mode: VECTOR) { nodes { id } } b: search(query: "two sofas") { nodes { id } } }`,
    );
    expect(vendor.calls().slice(before).map(textsIn)).toEqual([['one sofa', 'two sofas']]);
  });

  it('that is away fails what needs a vector, and leaves KEYWORD whole', async () => {
    const remove = vendor.when(({ path }) => path === '/embeddings', { status: 500 });
    const { data, errors } = await withVendor.request<Record<string, ResultView | null>, unknown>(
      `{ words: search(query: "sofa", mode: KEYWORD) { ${hitFields} } both: search(query: "a sofa to sleep on") { ${hitFields} } }`,
    );
    remove();
    expect(idsOf(data?.['words'] ?? expect.unreachable())).toEqual(['cat']);
    expect(data?.['both']).toBeNull();
    expect(errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [['both'], 'UPSTREAM_UNAVAILABLE'],
    ]);
  });
});

describe('what is not embedded yet', () => {
  it('is found by its words, and by its meaning once it is', async () => {
    await using own = new AsyncDisposableStack();
    const vendor = own.use(await startVendor());
    const gate = Promise.withResolvers<void>();
    own.defer(() => gate.resolve());
    // Passages wait; queries, and the question how long vectors are, do not.
    vendor.when((call) => JSON.stringify(call.body ?? '').length > 500, { hold: gate.promise });
    const fresh = own.use(await startGateway({ vendor, environment: { SLUICE_SEED_DOCS: 'true' } }));
    await vendor.waitForCall('/embeddings', 2);

    const query = 'a scanned PDF holds no text';
    const words = await search(fresh, { query });
    expect(words.edges[0]).toMatchObject({
      vectorScore: null,
      score: 1,
      node: { text: expect.stringMatching(/scanned PDF/) },
    });
    expect(words.edges.every(({ keywordScore }) => (keywordScore ?? 0) > 0)).toBe(true);
    expect(idsOf(await search(fresh, { query, mode: 'VECTOR' }))).toEqual([]);

    gate.resolve();
    await expect
      .poll(async () => (await search(fresh, { query, mode: 'VECTOR' })).edges.length, { timeout: 30_000 })
      .toBeGreaterThan(5);
  });
});
