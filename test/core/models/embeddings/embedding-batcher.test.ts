import { expect, test, vi } from 'vitest';
import type { EmbedRequest } from '../../../../core/contracts/model-provider.ts';
import { countTokens } from '../../../../core/text/tokens.ts';
import {
  aborted,
  rejected,
  scriptedProvider,
  unavailable,
  vectorOf,
  vectorsOf,
} from '../../../helpers/scripted-provider.ts';
import { callerOf, failureOf, poolOf } from '../pool.ts';

const texts = (count: number, prefix = 'text') => Array.from({ length: count }, (_, index) => `${prefix} ${index}`);

/** Calls that wait until they are let go, one after the other or all at once. */
function held() {
  const gates: (() => void)[] = [];
  const embed = async (request: EmbedRequest, signal: AbortSignal) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gates.push(resolve);
    await Promise.race([promise, aborted(signal)]);
    return vectorsOf(request);
  };
  const letGo = () => {
    for (const open of gates.splice(0)) open();
  };
  return { embed, letGo, waiting: () => gates.length };
}

test('twenty texts of one operation are one call, and each gets its own vector', async () => {
  const provider = scriptedProvider();
  const models = poolOf(provider);
  const caller = callerOf();
  const embedded = await Promise.all(texts(20).map((text) => models.embed('embedder', text, caller)));
  expect(provider.embeds).toHaveLength(1);
  expect(embedded.map(({ vector }) => vector)).toEqual(texts(20).map(vectorOf));
  expect(caller.meter.usage.calls).toBe(1);
});

test('texts of different operations in the same turn of the event loop share a call', async () => {
  const provider = scriptedProvider();
  const models = poolOf(provider);
  await Promise.all(
    texts(5).map(async (text) => {
      await Promise.resolve();
      return models.embed('embedder', text, callerOf());
    }),
  );
  expect(provider.embeds).toHaveLength(1);
});

test('sixty-four requests that trickle in make at most eight calls, though the provider is fast', async () => {
  const provider = scriptedProvider({
    embed: async (request) => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      return vectorsOf(request);
    },
  });
  const models = poolOf(provider);
  const asked: Promise<unknown>[] = [];
  for (const text of texts(64)) {
    asked.push(models.embed('embedder', text, callerOf()));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(asked);
  expect(provider.embeds.length).toBeLessThanOrEqual(8);
});

test('a lone caller that asks one text after the other never waits for company', async () => {
  const provider = scriptedProvider();
  const models = poolOf(provider, { embeddings: { gatherMs: 60_000 } });
  const caller = callerOf();
  for (const text of texts(5)) await models.embed('embedder', text, caller);
  expect(provider.embeds).toHaveLength(5);
});

test('texts that come while all calls are taken gather, and go together when one ends', async () => {
  const { embed, letGo, waiting } = held();
  const provider = scriptedProvider({ embed });
  const models = poolOf(provider, { embeddings: { gatherMs: 1 } });
  const asked: Promise<unknown>[] = [];
  for (const count of [1, 2, 3, 4]) {
    asked.push(models.embed('embedder', `first ${count}`, callerOf()));
    await vi.waitUntil(() => waiting() === count);
  }
  asked.push(...texts(60).map((text) => models.embed('embedder', text, callerOf())));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(provider.embeds).toHaveLength(4);
  expect(provider.peak).toBe(4);
  letGo();
  await vi.waitUntil(() => waiting() === 1);
  letGo();
  await Promise.all(asked);
  expect(provider.embeds.map(({ request }) => request.texts.length)).toEqual([1, 1, 1, 1, 60]);
});

test('the same text of one tenant is sent once, whether it waits, is under way, or is cached', async () => {
  const { embed, letGo, waiting } = held();
  const provider = scriptedProvider({ embed });
  const models = poolOf(provider);
  const [first, second, third, fourth] = [callerOf(), callerOf(), callerOf(), callerOf()];
  const together = [models.embed('embedder', 'same', first), models.embed('embedder', 'same', second)];
  await vi.waitUntil(() => waiting() === 1);
  const late = models.embed('embedder', 'same', third);
  letGo();
  const vectors = await Promise.all([...together, late, models.embed('embedder', 'same', fourth)]);
  await models.embed('embedder', 'same', fourth);
  expect(provider.embeds.map(({ request }) => request.texts)).toEqual([['same']]);
  expect(new Set(vectors.map(({ vector }) => vector.join()))).toEqual(new Set([vectorOf('same').join()]));
  const paid = [first, second, third, fourth].map(({ meter }) => meter.usage.inputTokens);
  expect(paid).toEqual([countTokens('same'), 0, 0, 0]);
});

test('two tenants never share a text, in a call or in the cache', async () => {
  const provider = scriptedProvider();
  const models = poolOf(provider);
  const [acme, zenith] = [callerOf('acme'), callerOf('zenith')];
  await Promise.all([models.embed('embedder', 'same', acme), models.embed('embedder', 'same', zenith)]);
  expect(provider.embeds.map(({ request }) => request.texts)).toEqual([['same', 'same']]);
  await models.embed('embedder', 'same', callerOf('third'));
  expect(provider.embeds).toHaveLength(2);
  expect(acme.meter.usage.inputTokens).toBe(countTokens('same'));
  expect(zenith.meter.usage.inputTokens).toBe(countTokens('same'));
});

test('two tenants share a text where that is configured', async () => {
  const provider = scriptedProvider();
  const models = poolOf(provider, { embeddings: { shareBetweenTenants: true } });
  await models.embed('embedder', 'same', callerOf('acme'));
  await models.embed('embedder', 'same', callerOf('zenith'));
  expect(provider.embeds).toHaveLength(1);
});

test('the provider’s count is split between tenants by the tokens of their texts, to the last token', async () => {
  const provider = scriptedProvider({ embed: async (request) => ({ ...vectorsOf(request), tokens: 1_001 }) });
  const models = poolOf(provider);
  const [acme, zenith] = [callerOf('acme'), callerOf('zenith')];
  const short = 'one two three';
  const long = 'one two three four five six seven eight nine';
  const [small, large] = await Promise.all([
    models.embed('embedder', short, acme),
    models.embed('embedder', long, zenith),
  ]);
  expect(provider.embeds).toHaveLength(1);
  const expected = Math.round((1_001 * countTokens(short)) / (countTokens(short) + countTokens(long)));
  expect(small.tokens).toBe(expected);
  expect(large.tokens).toBe(1_001 - expected);
  expect(acme.meter.usage).toMatchObject({ inputTokens: expected, calls: 1, estimated: false });
  expect(zenith.meter.usage).toMatchObject({ inputTokens: 1_001 - expected, calls: 1, estimated: false });
});

test('tokens are estimated, and marked so, when the provider sends no count', async () => {
  const provider = scriptedProvider({ embed: async (request) => ({ ...vectorsOf(request), tokens: null }) });
  const caller = callerOf();
  const { tokens } = await poolOf(provider).embed('embedder', 'one two three', caller);
  expect(tokens).toBe(countTokens('one two three'));
  expect(caller.meter.usage).toMatchObject({ inputTokens: tokens, estimated: true });
});

test('calls are split at the provider’s limits of texts and of tokens', async () => {
  const provider = scriptedProvider({ embeddingLimits: { maxTexts: 8, maxTokens: 40 } });
  const models = poolOf(provider);
  const long = 'word '.repeat(60);
  const asked = [...texts(30), long, ...texts(30, 'more')];
  await Promise.all(asked.map((text) => models.embed('embedder', text, callerOf())));
  const sent = provider.embeds.map(({ request }) => request.texts);
  expect(sent.flat().sort()).toEqual(asked.toSorted());
  for (const batch of sent) {
    expect(batch.length).toBeLessThanOrEqual(8);
    const tokens = batch.reduce((sum, text) => sum + countTokens(text), 0);
    expect(tokens <= 40 || batch.length === 1).toBe(true);
  }
  expect(sent.some((batch) => batch.length === 8)).toBe(true);
});

test('one of two waiters leaves and the other still gets its vector', async () => {
  const { embed, letGo, waiting } = held();
  const provider = scriptedProvider({ embed });
  const models = poolOf(provider);
  const [leaver, stayer] = [callerOf(), callerOf()];
  const left = failureOf(models.embed('embedder', 'same', leaver));
  const stayed = models.embed('embedder', 'same', stayer);
  await vi.waitUntil(() => waiting() === 1);
  leaver.abort();
  expect(await left).toMatchObject({ code: 'CANCELLED' });
  expect(provider.embeds[0]?.signal.aborted).toBe(false);
  letGo();
  expect((await stayed).vector).toEqual(vectorOf('same'));
  // It was its text when the call began, so it pays, though it has left.
  expect(leaver.meter.usage.inputTokens).toBe(countTokens('same'));
});

test('the provider call is aborted once all of its waiters have left, and its texts can be asked for again', async () => {
  const { embed, letGo, waiting } = held();
  const provider = scriptedProvider({ embed });
  const models = poolOf(provider);
  const callers = [callerOf(), callerOf(), callerOf()];
  const asked = callers.map((caller, index) => failureOf(models.embed('embedder', `text ${index % 2}`, caller)));
  await vi.waitUntil(() => waiting() === 1);
  for (const caller of callers) {
    expect(provider.embeds[0]?.over).toBe(false);
    caller.abort();
  }
  for (const failure of await Promise.all(asked)) expect(failure).toMatchObject({ code: 'CANCELLED' });
  await vi.waitUntil(() => provider.embeds[0]?.over === true);
  const again = models.embed('embedder', 'text 0', callerOf());
  await vi.waitUntil(() => provider.embeds.length === 2 && waiting() === 2);
  letGo();
  expect((await again).vector).toEqual(vectorOf('text 0'));
});

test('texts of a caller that leaves while they wait are never sent', async () => {
  const { embed, letGo, waiting } = held();
  const provider = scriptedProvider({ embed });
  const models = poolOf(provider, { embeddings: { concurrentCalls: 1, gatherMs: 1 } });
  const running = models.embed('embedder', 'running', callerOf());
  await vi.waitUntil(() => waiting() === 1);
  const leaver = callerOf();
  const left = texts(100).map((text) => failureOf(models.embed('embedder', text, leaver)));
  const stays = models.embed('embedder', 'stays', callerOf());
  leaver.abort();
  expect(await left[99]).toMatchObject({ code: 'CANCELLED' });
  letGo();
  await running;
  await vi.waitUntil(() => waiting() === 1);
  letGo();
  await stays;
  expect(provider.embeds.map(({ request }) => request.texts)).toEqual([['running'], ['stays']]);
});

test('a waiter leaves at its own deadline and the others stay', async () => {
  const { embed, letGo, waiting } = held();
  const models = poolOf(scriptedProvider({ embed }));
  const hasty = failureOf(models.embed('embedder', 'same', callerOf('acme', 20)));
  const patient = models.embed('embedder', 'same', callerOf());
  await vi.waitUntil(() => waiting() === 1);
  expect(await hasty).toMatchObject({ code: 'UPSTREAM_TIMEOUT', retryable: true, details: { phase: 'TOTAL' } });
  letGo();
  expect((await patient).vector).toEqual(vectorOf('same'));
});

test('a failed call fails its own waiters only', async () => {
  const provider = scriptedProvider({
    embeddingLimits: { maxTexts: 1, maxTokens: 1_000 },
    embed: async (request) => {
      if (request.texts[0] === 'bad') throw unavailable();
      return vectorsOf(request);
    },
  });
  const models = poolOf(provider, { retries: 1 });
  const caller = callerOf();
  const [bad, good] = [failureOf(models.embed('embedder', 'bad', caller)), models.embed('embedder', 'good', caller)];
  expect(await bad).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', details: { attempts: 2 } });
  expect((await good).vector).toEqual(vectorOf('good'));
  expect(caller.meter.usage).toMatchObject({ calls: 1, inputTokens: countTokens('good') });
});

/** Refuses every call that holds one of these, as a vendor refuses a whole call for one text that is too long. */
function refusing(...bad: readonly string[]) {
  return scriptedProvider({
    embed: async (request) => {
      if (request.texts.some((text) => bad.includes(text))) throw rejected();
      return vectorsOf(request);
    },
  });
}

test('a text that the provider refuses fails itself alone, and nothing that it shared a call with', async () => {
  const models = poolOf(refusing('refused'));
  const culprit = callerOf('acme');
  const refused = failureOf(models.embed('embedder', 'refused', culprit));
  const neighbour = models.embed('embedder', 'its neighbour', culprit);
  const others = texts(3).map((text) => models.embed('embedder', text, callerOf('zenith')));
  expect(await refused).toMatchObject({ code: 'UPSTREAM_REJECTED' });
  expect((await neighbour).vector).toEqual(vectorOf('its neighbour'));
  expect((await Promise.all(others)).map(({ vector }) => vector)).toEqual(texts(3).map(vectorOf));
});

test('two refused texts among a thousand of one caller are found by halves, wherever they stand', async () => {
  for (const places of [[0, 1], [500, 501], [0, 999], [998]]) {
    const provider = refusing(...places.map((place) => `text ${place}`));
    const models = poolOf(provider);
    const caller = callerOf();
    const settled = await Promise.allSettled(texts(1_000).map((text) => models.embed('embedder', text, caller)));
    const failed = settled.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []));
    expect(failed).toEqual(places);
    expect(provider.embeds.length).toBeLessThanOrEqual(50);
  }
});

test('a provider that refuses whatever comes is not asked a thousand times', async () => {
  const provider = scriptedProvider({ embed: () => Promise.reject(rejected()) });
  const models = poolOf(provider);
  const caller = callerOf();
  const settled = await Promise.allSettled(texts(1_000).map((text) => models.embed('embedder', text, caller)));
  expect(settled.every(({ status }) => status === 'rejected')).toBe(true);
  expect(provider.embeds.length).toBeLessThanOrEqual(30);
});

test('a reply with too few vectors is a failure, not a shifted meaning', async () => {
  const embed = async ({ texts: [, ...rest], ...request }: EmbedRequest) => vectorsOf({ ...request, texts: rest });
  const models = poolOf(scriptedProvider({ embed }), { retries: 0 });
  const caller = callerOf();
  const failures = texts(3).map((text) => failureOf(models.embed('embedder', text, caller)));
  expect(await failures[0]).toMatchObject({
    code: 'UPSTREAM_UNAVAILABLE',
    message: 'embedder (scripted) must send 3 vectors for as many texts, got 2',
  });
});

test('a query behind ten thousand texts of another tenant’s ingest is answered by the second call to end', async () => {
  const { embed, letGo, waiting } = held();
  const provider = scriptedProvider({ embed, embeddingLimits: { maxTexts: 100, maxTokens: 1_000_000 } });
  const models = poolOf(provider, { embeddings: { concurrentCalls: 2 } });
  const ingest = callerOf('bulk');
  const bulk = texts(10_000).map((text) => models.embed('embedder', text, ingest));
  await vi.waitUntil(() => waiting() === 1);
  // One of two slots stays free of the ingest.
  expect(provider.embeds).toHaveLength(1);
  const query = models.embed('embedder', 'a query', callerOf('other'));
  await vi.waitUntil(() => waiting() === 2);
  expect(provider.embeds[1]?.request.texts[0]).toBe('a query');
  letGo();
  await query;
  const drain = setInterval(letGo, 1);
  await Promise.all(bulk);
  clearInterval(drain);
});

test('with all calls taken by bulk work of the same tenant, the next call takes every caller’s turn', async () => {
  const { embed, letGo, waiting } = held();
  const provider = scriptedProvider({ embed, embeddingLimits: { maxTexts: 10, maxTokens: 1_000_000 } });
  const models = poolOf(provider, { embeddings: { concurrentCalls: 1 } });
  const [ingest, backfill] = [callerOf(), callerOf()];
  const bulk = [
    ...texts(1_000, 'ingest').map((text) => models.embed('embedder', text, ingest)),
    ...texts(1_000, 'backfill').map((text) => models.embed('embedder', text, backfill)),
  ];
  await vi.waitUntil(() => waiting() === 1);
  const queries = texts(3, 'query').map((text) => models.embed('embedder', text, callerOf()));
  letGo();
  await vi.waitUntil(() => provider.embeds.length === 2);
  const second = provider.embeds[1]?.request.texts ?? [];
  expect(second.filter((text) => text.startsWith('query'))).toHaveLength(3);
  expect(second.filter((text) => text.startsWith('backfill')).length).toBeGreaterThanOrEqual(3);
  const drain = setInterval(letGo, 1);
  await Promise.all([...queries, ...bulk]);
  clearInterval(drain);
});

test('a tenant with many callers gets no more of a call than a tenant with one', async () => {
  const { embed, letGo, waiting } = held();
  const provider = scriptedProvider({ embed, embeddingLimits: { maxTexts: 10, maxTokens: 1_000_000 } });
  const models = poolOf(provider, { embeddings: { concurrentCalls: 1 } });
  const running = models.embed('embedder', 'running', callerOf());
  await vi.waitUntil(() => waiting() === 1);
  const loner = callerOf('one caller');
  const asked = [
    ...texts(50, 'crowd').map((text) => models.embed('embedder', text, callerOf('many callers'))),
    ...texts(50, 'loner').map((text) => models.embed('embedder', text, loner)),
  ];
  letGo();
  await vi.waitUntil(() => provider.embeds.length === 2);
  expect(provider.embeds[1]?.request.texts.filter((text) => text.startsWith('loner'))).toHaveLength(5);
  const drain = setInterval(letGo, 1);
  await Promise.all([running, ...asked]);
  clearInterval(drain);
});

test('who joins a text under way that its first waiter has left keeps the call alive', async () => {
  const { embed, letGo, waiting } = held();
  const provider = scriptedProvider({ embed });
  const models = poolOf(provider);
  const [leaver, other] = [callerOf(), callerOf()];
  const left = failureOf(models.embed('embedder', 'first', leaver));
  const alsoLeft = failureOf(models.embed('embedder', 'second', other));
  await vi.waitUntil(() => waiting() === 1);
  leaver.abort();
  const joined = models.embed('embedder', 'first', callerOf());
  await Promise.resolve();
  other.abort();
  expect(await left).toMatchObject({ code: 'CANCELLED' });
  expect(await alsoLeft).toMatchObject({ code: 'CANCELLED' });
  letGo();
  expect((await joined).vector).toEqual(vectorOf('first'));
  expect(provider.embeds).toHaveLength(1);
});

test('a text that waits in a long line is sent earlier when a short line asks for it too', async () => {
  const { embed, letGo, waiting } = held();
  const provider = scriptedProvider({ embed, embeddingLimits: { maxTexts: 4, maxTokens: 1_000_000 } });
  const models = poolOf(provider, { embeddings: { concurrentCalls: 1 } });
  const ingest = callerOf();
  const bulk = texts(100).map((text) => models.embed('embedder', text, ingest));
  await vi.waitUntil(() => waiting() === 1);
  const query = models.embed('embedder', 'text 99', callerOf());
  letGo();
  await vi.waitUntil(() => provider.embeds.length === 2);
  expect(provider.embeds[1]?.request.texts).toContain('text 99');
  const drain = setInterval(letGo, 1);
  await Promise.all([query, ...bulk]);
  clearInterval(drain);
  expect(provider.embeds.flatMap(({ request }) => request.texts)).toHaveLength(100);
});

test('more waiting texts than maxWaitingTexts are refused, naming the limit, and only for that tenant', async () => {
  const { embed, letGo, waiting } = held();
  const models = poolOf(scriptedProvider({ embed }), { embeddings: { concurrentCalls: 1, maxWaitingTexts: 2 } });
  const running = models.embed('embedder', 'running', callerOf('greedy'));
  await vi.waitUntil(() => waiting() === 1);
  const greedy = callerOf('greedy');
  const waitingTexts = texts(2).map((text) => models.embed('embedder', text, greedy));
  expect(await failureOf(models.embed('embedder', 'one more', greedy))).toMatchObject({
    code: 'RATE_LIMITED',
    retryable: true,
    details: { limit: 2 },
    message: expect.stringContaining('maxWaitingTexts'),
  });
  const other = models.embed('embedder', 'other', callerOf('modest'));
  letGo();
  await running;
  await vi.waitUntil(() => waiting() === 1);
  letGo();
  await Promise.all([...waitingTexts, other]);
});

test('vectors are dropped from the cache when it is full', async () => {
  const provider = scriptedProvider();
  const models = poolOf(provider, { embeddings: { cacheBytes: 2_000 } });
  const caller = callerOf();
  for (const text of texts(10)) await models.embed('embedder', text, caller);
  await models.embed('embedder', 'text 9', caller);
  expect(provider.embeds).toHaveLength(10);
  await models.embed('embedder', 'text 0', caller);
  expect(provider.embeds).toHaveLength(11);
});

test('the vector length is asked for once, on nobody’s bill', async () => {
  const provider = scriptedProvider();
  const models = poolOf(provider);
  const { signal } = callerOf();
  const asked = [models.embeddingDimensions('embedder', signal), models.embeddingDimensions('embedder', signal)];
  expect(await Promise.all(asked)).toEqual([8, 8]);
  expect(await models.embeddingDimensions('embedder', signal)).toBe(8);
  expect(provider.embeds).toHaveLength(1);
});

test('an empty text is refused before anything is sent', async () => {
  const provider = scriptedProvider();
  const failure = await failureOf(poolOf(provider).embed('embedder', '', callerOf()));
  expect(failure).toMatchObject({ code: 'BAD_INPUT' });
  expect(provider.embeds).toHaveLength(0);
});

test('closing the pool ends calls under way and texts that wait', async () => {
  const { embed, waiting } = held();
  const provider = scriptedProvider({ embed });
  const models = poolOf(provider, { embeddings: { concurrentCalls: 1 } });
  const running = failureOf(models.embed('embedder', 'running', callerOf()));
  await vi.waitUntil(() => waiting() === 1);
  const queued = failureOf(models.embed('embedder', 'queued', callerOf()));
  await models.close();
  for (const failure of [await running, await queued]) {
    expect(failure).toMatchObject({ code: 'CANCELLED', message: expect.stringContaining('shutting down') });
  }
  await vi.waitUntil(() => provider.embeds[0]?.over === true);
  expect(await failureOf(models.embed('embedder', 'later', callerOf()))).toMatchObject({ code: 'CANCELLED' });
});
