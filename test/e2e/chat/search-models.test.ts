import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configFile } from '../../helpers/config-file.ts';
import { ingest, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import type { WireChat } from '../../helpers/vendor/behaviour.ts';
import { textOf } from '../../helpers/vendor/reply.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { bodyOf, type CitationView, chat, spoken, type UsageView } from './turn.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;

const count = 40;

beforeAll(async () => {
  const models = [{ name: 'small', contextWindow: 700 }];
  const config = opened.use(await configFile({ openai: { models } }));
  ({ gateway, vendor } = opened.use(await startGatewayWithVendor({ environment: config.environment })));
  await ingest(
    gateway,
    Array.from({ length: count }, (_, index) => ({
      externalId: `otter${index}`,
      title: `Otter ${index}`,
      text: `Otter number ${index} swims in river ${index}. It eats fish.`,
    })),
  );
});
afterAll(() => opened.disposeAsync());

interface Summary {
  readonly text: string;
  readonly model: string;
  readonly citations: readonly CitationView[];
  readonly usage: UsageView;
}
interface Hits {
  readonly edges: readonly {
    readonly cursor: string;
    readonly score: number;
    readonly node: { readonly text: string; readonly document: { readonly externalId: string } };
  }[];
  readonly pageInfo: { readonly hasNextPage: boolean };
}

const chatCalls = () => vendor.calls('/chat/completions');
const summaryFields =
  'text model citations { number quote title passage { text } } usage { calls costUsd inputTokens outputTokens }';
const hitFields = 'edges { cursor score node { text document { externalId } } } pageInfo { hasNextPage }';
const idsOf = (hits: Hits | null) => (hits?.edges ?? []).map(({ node }) => node.document.externalId);

describe('a summary', () => {
  const summaryQuery = `query SearchModelsSummary($model: String, $maxWords: Int, $query: String = "swims in a river", $filter: MetadataFilter) {
    search(query: $query, first: 3, filter: $filter) { ${hitFields} summary(model: $model, maxWords: $maxWords) { ${summaryFields} } }
  }`;
  const summary = (variables: object = {}) =>
    gateway.request<{ search: Hits & { summary: Summary | null } }, unknown>(summaryQuery, variables);

  it('of a search cites its hits, in one call, with the words bounded', async () => {
    const before = chatCalls().length;
    vendor.next({ reply: `Otters swim [3]. They eat fish [1]. ${'And so on and on. '.repeat(30)}` });
    const { data } = await summary({ maxWords: 20, model: 'a-model' });
    expect(chatCalls()).toHaveLength(before + 1);
    const body = bodyOf(chatCalls().at(-1));
    expect(body).toMatchObject({ model: 'a-model', temperature: 0, stream: false });
    expect(spoken(chatCalls().at(-1))[0]).toMatch(/at most 20 words[\s\S]*\[3\] Otter/);
    const found = data?.search.summary;
    expect(found?.text).toMatch(/^Otters swim \[1\]\. They eat fish \[2\]\. And so on and on\./);
    expect(found?.text.split(/\s+/).length).toBeLessThanOrEqual(22);
    expect(found).toMatchObject({ model: 'a-model', usage: { calls: 1, costUsd: null } });
    expect(found?.citations.map(({ number }) => number)).toEqual([1, 2]);
    for (const { quote, passage } of found?.citations ?? []) expect(passage?.text).toContain(quote);
    expect(found?.citations[0]?.passage?.text).toBe(data?.search.edges[2]?.node.text);
  });

  it.each([9, 1_001])('of %i words is refused beside the hits, before any call', async (maxWords) => {
    const before = chatCalls().length;
    const { data, errors } = await summary({ maxWords });
    expect(errors).toEqual([
      expect.objectContaining({ path: ['search', 'summary'], message: `maxWords must be 10–1000, got ${maxWords}.` }),
    ]);
    expect(data?.search).toMatchObject({ summary: null });
    expect(idsOf(data?.search ?? null)).toHaveLength(3);
    expect(chatCalls()).toHaveLength(before);
  });

  it('by a model that the vendor does not know, or that cannot chat, fails beside the hits', async () => {
    const remove = vendor.when(({ body }) => JSON.stringify(body).includes('"no-such-model"'), {
      status: 404,
      error: { message: 'The model `no-such-model` does not exist', code: 'model_not_found' },
    });
    const unknown = await summary({ model: 'no-such-model' });
    remove();
    expect(unknown.errors?.[0]).toMatchObject({
      path: ['search', 'summary'],
      message: expect.stringMatching(/no-such-model/),
    });
    expect(unknown.errors?.[0]?.extensions.code).toMatch(/BAD_INPUT|UPSTREAM_REJECTED/);
    expect(idsOf(unknown.data?.search ?? null)).toHaveLength(3);
    const mute = await summary({ model: 'text-embedding-3-small' });
    expect(mute.errors?.[0]).toMatchObject({ extensions: { code: 'BAD_INPUT' }, path: ['search', 'summary'] });
    expect(idsOf(mute.data?.search ?? null)).toHaveLength(3);
  });

  it('of nothing is null and costs nothing', async () => {
    const before = chatCalls().length;
    const { data, errors } = await summary({ filter: { field: 'nothing', equals: 1 } });
    expect(errors).toBeUndefined();
    expect(data?.search).toMatchObject({ edges: [], summary: null });
    expect(chatCalls()).toHaveLength(before);
  });

  it('takes as many hits as the model holds', async () => {
    const query = `query SearchModelsMany { search(query: "otter", first: 40) { edges { cursor } summary(model: "small") { text } } }`;
    const { search } = await gateway.data<{ search: Hits & { summary: { text: string } } }, unknown>(query);
    expect(search.edges).toHaveLength(40);
    const listed = spoken(chatCalls().at(-1))[0]?.match(/^\[\d+\] Otter/gm)?.length;
    expect(listed).toBeGreaterThan(5);
    expect(listed).toBeLessThan(25);
    expect(search.summary.text).not.toBe('');
  });

  it('of one document is cited too, and one that fails leaves the others and the hits whole', async () => {
    const query = `query SearchModelsDocuments {
      a: search(query: "river 7", first: 2) { ${hitFields} nodes { document { externalId summary(maxWords: 30) { ${summaryFields} } } } }
      b: search(query: "river 8", first: 2) { ${hitFields} summary { ${summaryFields} } }
    }`;
    const remove = vendor.when(({ body }) => /^Otter 7$/m.test(textOf((body as WireChat).messages?.at(-1))), {
      status: 400,
      error: { message: 'Not this one.' },
    });
    const { data, errors } = await gateway.request<
      {
        a: Hits & { nodes: { document: { externalId: string; summary: Summary | null } }[] };
        b: Hits & { summary: Summary };
      },
      unknown
    >(query);
    remove();
    expect(errors).toEqual([
      expect.objectContaining({
        path: ['a', 'nodes', 0, 'document', 'summary'],
        message: expect.stringMatching(/Not this one/),
      }),
    ]);
    expect(idsOf(data?.a ?? null)).toEqual(['otter7', expect.any(String)]);
    const [failed, whole] = data?.a.nodes ?? [];
    expect(failed?.document.summary).toBeNull();
    expect(whole?.document.summary?.citations[0]).toMatchObject({ number: 1, title: expect.stringMatching(/^Otter/) });
    expect(data?.b.summary.citations.length).toBeGreaterThan(0);
  });
});

describe('rerank', () => {
  /** Grades by the number of the river, the highest first: the opposite of what the words say. */
  const grading = {
    reply: ({ messages }: WireChat) => {
      const listed = [...textOf(messages.at(-1)).matchAll(/^\[(\d+)\] Otter (\d+)$/gm)];
      return JSON.stringify({ grades: listed.map(([, n, river]) => ({ n: Number(n), grade: Number(river) / 4 })) });
    },
  };
  const query = `query SearchModelsRerank($first: Int, $after: String, $rerank: Boolean) {
    search(query: "Otter number 1 swims", first: $first, after: $after, rerank: $rerank) { ${hitFields} timings { rerankMs } }
  }`;
  const search = async (variables: object) =>
    (await gateway.data<{ search: Hits & { timings: { rerankMs: number | null } } }, unknown>(query, variables)).search;

  it('asks once, and orders by the grades', async () => {
    const plain = await search({ first: 30, rerank: false });
    const before = chatCalls().length;
    vendor.next(grading);
    const reranked = await search({ first: 10, rerank: true });
    expect(chatCalls()).toHaveLength(before + 1);
    const expected = idsOf(plain).toSorted((left, right) => Number(right.slice(5)) - Number(left.slice(5)));
    expect(idsOf(reranked)).toEqual(expected.slice(0, 10));
    expect(reranked.edges[0]?.score).toBe(Number(expected[0]?.slice(5)) / 40);
    expect(reranked.timings.rerankMs).toBeGreaterThan(0);
    expect(plain.timings.rerankMs).toBeNull();
  });

  it('goes through all hits page by page, each once, in the order of one large page', async () => {
    const remove = vendor.when(({ path }) => path === '/chat/completions', grading);
    const whole = await search({ first: count, rerank: true });
    const paged: string[] = [];
    let after: string | undefined;
    for (;;) {
      const page = await search({ first: 7, after, rerank: true });
      paged.push(...idsOf(page));
      if (!page.pageInfo.hasNextPage) break;
      after = page.edges.at(-1)?.cursor;
    }
    remove();
    expect(paged).toEqual(idsOf(whole));
    expect(new Set(paged).size).toBe(count);
  });

  it.each([
    ['prose', 'The first one is best.'],
    ['another shape', '{"grades": [{"n": 0, "grade": 99}]}'],
    ['no grade', '{"grades": []}'],
  ])('that brings %s fails its own alias alone', async (_name, reply) => {
    vendor.next({ reply });
    const { data, errors } = await gateway.request<{ bad: null; good: Hits }, unknown>(
      `query SearchModelsAliases { bad: search(query: "otter", rerank: true) { ${hitFields} } good: search(query: "otter", first: 2) { ${hitFields} } }`,
    );
    expect(errors).toEqual([expect.objectContaining({ path: ['bad'] })]);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true });
    expect(data?.bad).toBeNull();
    expect(idsOf(data?.good ?? null)).toHaveLength(2);
  });

  it('serves retrieval too: the sources come in the order of the grades', async () => {
    vendor.next(grading, { reply: 'It swims [1].' });
    const turn = await chat(gateway, { message: 'Otter number 1 swims', retrieval: { rerank: true, first: 2 } });
    expect(turn).toMatchObject({ status: 'SUCCEEDED', cited: [{ number: 1 }] });
    const best = (await search({ first: 30, rerank: false })).edges.map(({ node }) =>
      Number(node.document.externalId.slice(5)),
    );
    expect(turn.cited[0]?.title).toBe(`Otter ${Math.max(...best)}`);
  });
});

describe('similar', () => {
  it('lists other documents of the collection, the nearest first', async () => {
    const { search } = await gateway.data<
      {
        search: {
          nodes: {
            document: { externalId: string; similar: { score: number; node: { document: { externalId: string } } }[] };
          }[];
        };
      },
      unknown
    >(`query SearchModelsSimilar { search(query: "river 5", first: 1) { nodes { document { externalId similar(first: 4) {
      score node { document { externalId } } } } } } }`);
    const document = search.nodes[0]?.document;
    const similar = document?.similar ?? [];
    expect(similar).toHaveLength(4);
    expect(similar.map(({ node }) => node.document.externalId)).not.toContain(document?.externalId);
    expect(similar.map(({ score }) => score)).toEqual(similar.map(({ score }) => score).toSorted((a, b) => b - a));
  });
});
