import { expect, onTestFinished, test, vi } from 'vitest';
import { GatewayError } from '../../../core/contracts/gateway-error.ts';
import type { ChatChunk } from '../../../core/contracts/model-provider.ts';
import { createModels } from '../../../core/models/create-models.ts';
import type { ModelsOptions } from '../../../core/models/models-options.ts';
import { estimateChat } from '../../../core/models/usage/token-estimate.ts';
import { countTokens } from '../../../core/text/tokens.ts';
import {
  aborted,
  breaks,
  rejected,
  says,
  scriptedProvider,
  stalls,
  unavailable,
} from '../../helpers/scripted-provider.ts';
import { ask, callerOf, failureOf, poolOf, textOf } from './pool.ts';

/** A vendor as the default, and a local provider behind it. */
function house(options: Partial<ModelsOptions> = {}) {
  const vendor = scriptedProvider({ name: 'vendor' });
  const local = scriptedProvider({ name: 'local', generative: false });
  const models = createModels({
    providers: [
      {
        provider: vendor,
        chatModel: 'gpt-4.1-mini',
        embeddingModel: 'text-embedding-3-small',
        models: [
          {
            name: 'house-model',
            contextWindow: 9_000,
            inputUsdPerMillion: 3,
            outputUsdPerMillion: 6,
            attachments: ['image/png'],
          },
          { name: 'short-vectors', capabilities: ['EMBEDDING'], dimensions: 3 },
        ],
      },
      { provider: local, chatModel: 'extractive', embeddingModel: 'all-MiniLM-L6-v2' },
    ],
    ...options,
  });
  return { vendor, local, models };
}

test('a name goes to the provider that knows it, any other to the default provider', async () => {
  const { vendor, local, models } = house();
  expect(models.chatModel(null)).toMatchObject({ name: 'gpt-4.1-mini', provider: 'vendor' });
  expect(models.chatModel('extractive')).toMatchObject({ provider: 'local', generative: false });
  expect(models.chatModel('never-heard-of')).toMatchObject({ name: 'never-heard-of', provider: 'vendor' });
  expect(models.defaultEmbeddingModel).toBe('text-embedding-3-small');
  await models.embed('all-MiniLM-L6-v2', 'text', callerOf());
  await models.embed('some-embedder', 'text', callerOf());
  expect(local.embeds.map(({ request }) => request.model)).toEqual(['all-MiniLM-L6-v2']);
  expect(vendor.embeds.map(({ request }) => request.model)).toEqual(['some-embedder']);
  expect(await models.complete(ask('Hi', 'extractive'), callerOf())).toMatchObject({ model: 'extractive' });
  expect(await textOf(models.chat(ask(), callerOf()))).toBe('Hello');
  expect(local.completions).toHaveLength(1);
  expect(vendor.chats[0]?.request.model).toBe('gpt-4.1-mini');
});

test('a model that is known not to be able to is refused by name', async () => {
  const { models } = house();
  expect(() => models.chatModel('all-MiniLM-L6-v2')).toThrow(
    'model "all-MiniLM-L6-v2" of local was asked for CHAT, it can EMBEDDING',
  );
  expect(() => models.chatModel('text-embedding-3-large')).toThrow(GatewayError);
  expect(() => models.chatModel('')).toThrow('model must be a name of 1–200 characters, got 0');
  const failure = await failureOf(models.embed('gpt-4.1-mini', 'text', callerOf()));
  expect(failure).toMatchObject({ code: 'BAD_INPUT' });
  const stream = models.chat(ask('Hi', 'short-vectors'), callerOf());
  expect(await failureOf(textOf(stream))).toMatchObject({ code: 'BAD_INPUT' });
});

test('providers that leave no default are a fault at the start', () => {
  expect(() => createModels({ providers: [] })).toThrow('providers must name at least one model provider');
  const provider = scriptedProvider();
  expect(() => createModels({ providers: [{ provider, chatModel: 'talker', embeddingModel: null }] })).toThrow(
    'at least one provider must have a default embeddingModel',
  );
});

test('what a model reads comes from the configuration, the published table, the provider’s list, or the usual', async () => {
  const vendor = scriptedProvider({
    models: async () => [{ name: 'listed', capabilities: ['CHAT'], contextWindow: 4_096 }],
  });
  const { models: plain } = house();
  const models = poolOf(vendor);
  expect(plain.chatModel('house-model')).toMatchObject({ contextWindow: 9_000, attachments: ['image/png'] });
  expect(plain.chatModel('gpt-4.1-mini').contextWindow).toBe(1_047_576);
  expect(plain.chatModel('unknown').contextWindow).toBe(128_000);
  expect(plain.chatModel('unknown').attachments).toEqual([
    'image/*',
    'audio/wav',
    'audio/mpeg',
    'application/pdf',
    'text/*',
  ]);
  expect(plain.chatModel('extractive')).toMatchObject({ contextWindow: 1_000_000, attachments: [] });
  expect(models.chatModel('listed').contextWindow).toBe(128_000);
  await models.list(callerOf().signal);
  expect(models.chatModel('listed').contextWindow).toBe(4_096);
});

test('vectors of a configured length are asked for as such', async () => {
  const { vendor, models } = house();
  await models.embed('short-vectors', 'text', callerOf());
  expect(vendor.embeds[0]?.request.dimensions).toBe(3);
  expect(await models.embeddingDimensions('short-vectors', callerOf().signal)).toBe(3);
  await models.embed('text-embedding-3-small', 'text', callerOf());
  expect(vendor.embeds[1]?.request).not.toHaveProperty('dimensions');
});

test('the provider’s count is billed at the configured or published price, local models at nothing', async () => {
  const { models } = house({});
  const provider = scriptedProvider({ chat: () => says('Hello', { input: 1_000, output: 500 }) });
  const priced = createModels({
    providers: [
      {
        provider,
        chatModel: 'gpt-4o-mini-2024-07-18',
        embeddingModel: 'embedder',
        models: [{ name: 'house-model', inputUsdPerMillion: 3, outputUsdPerMillion: 6 }],
      },
    ],
  });
  const costOf = async (pool: typeof models, model: string | null) => {
    const { meter, ...caller } = callerOf();
    await textOf(pool.chat(ask('Hi', model), { ...caller, meter }));
    return meter.usage;
  };
  const count = { inputTokens: 1_000, cachedInputTokens: 0, outputTokens: 500, calls: 1, estimated: false };
  expect(await costOf(priced, null)).toEqual({ ...count, costUsd: (1_000 * 0.15 + 500 * 0.6) / 1e6 });
  expect(await costOf(priced, 'house-model')).toEqual({ ...count, costUsd: (1_000 * 3 + 500 * 6) / 1e6 });
  expect(await costOf(priced, 'unheard-of')).toEqual({ ...count, costUsd: null });
  expect(await costOf(models, 'extractive')).toMatchObject({ costUsd: 0, estimated: true, calls: 1 });
});

test('without a count from the provider both ways of asking are estimated alike', async () => {
  const models = poolOf(scriptedProvider({ chat: () => says('Hel', 'lo') }));
  const [streamed, whole] = [callerOf(), callerOf()];
  await textOf(models.chat(ask(), streamed));
  await models.complete(ask(), whole);
  const expected = { ...estimateChat(ask().messages, 'Hello'), calls: 1, estimated: true };
  expect(expected.inputTokens).toBeGreaterThan(countTokens('What is new?'));
  expect(streamed.meter.usage).toMatchObject(expected);
  expect(whole.meter.usage).toMatchObject(expected);
});

test.for(['broken', 'cancelled', 'left'] as const)('a stream that is %s is billed for what had come', async (end) => {
  const provider = scriptedProvider({
    chat: (_, signal) => (end === 'broken' ? breaks(unavailable(), 'Hel', 'lo') : stalls(signal, 'Hel', 'lo')),
  });
  const caller = callerOf();
  let seen = 0;
  const read = async () => {
    for await (const _ of poolOf(provider).chat(ask(), caller)) {
      seen += 1;
      if (seen === 3 && end === 'cancelled') caller.abort();
      if (seen === 3 && end === 'left') break;
    }
  };
  await read().catch(() => undefined);
  // Who answers, and two pieces.
  expect(seen).toBe(3);
  expect(caller.meter.usage).toMatchObject({ ...estimateChat(ask().messages, 'Hello'), calls: 1, estimated: true });
});

test('a count that came before the cut stands, unestimated', async () => {
  const provider = scriptedProvider({
    async *chat(): AsyncGenerator<ChatChunk> {
      yield { type: 'text', delta: 'Hel' };
      yield { type: 'usage', tokens: { inputTokens: 7, cachedInputTokens: 2, outputTokens: 1 } };
      throw unavailable();
    },
  });
  const caller = callerOf();
  await textOf(poolOf(provider).chat(ask(), caller)).catch(() => undefined);
  expect(caller.meter.usage).toMatchObject({ inputTokens: 7, cachedInputTokens: 2, outputTokens: 1, estimated: false });
});

test('attempts that brought nothing cost nothing, the one that did is one call', async () => {
  const provider = scriptedProvider({
    chat: (_, _signal, call) => (call === 1 ? breaks(unavailable()) : says('Hello', { input: 5, output: 1 })),
    complete: () => Promise.reject(rejected()),
  });
  const models = poolOf(provider);
  const [retried, refused, silent] = [callerOf(), callerOf(), callerOf()];
  await textOf(models.chat(ask(), retried));
  expect(retried.meter.usage).toMatchObject({ calls: 1, inputTokens: 5, outputTokens: 1, estimated: false });
  await failureOf(models.complete(ask(), refused));
  expect(refused.meter.usage.calls).toBe(0);
  models.chat(ask(), silent);
  expect(silent.meter.usage.calls).toBe(0);
  expect(provider.chats).toHaveLength(2);
});

test('the list shows every model that can be routed to, with price and health', async () => {
  const vendor = scriptedProvider({
    name: 'vendor',
    models: async () => [
      { name: 'gpt-4.1-mini', capabilities: ['CHAT'], contextWindow: null },
      { name: 'vendor-only', capabilities: ['CHAT', 'TOOLS'], contextWindow: 32_000 },
    ],
  });
  const local = scriptedProvider({
    name: 'local',
    generative: false,
    models: async () => [{ name: 'not-routed', capabilities: ['CHAT'], contextWindow: null }],
  });
  const models = createModels({
    providers: [
      { provider: vendor, chatModel: 'gpt-4.1-mini', embeddingModel: 'text-embedding-3-small' },
      { provider: local, chatModel: 'extractive', embeddingModel: 'all-MiniLM-L6-v2' },
    ],
  });
  await models.complete(ask(), callerOf());
  const listed = await models.list(callerOf().signal);
  expect(listed.map(({ name, provider }) => `${provider}/${name}`)).toEqual([
    'vendor/gpt-4.1-mini',
    'vendor/text-embedding-3-small',
    'local/extractive',
    'local/all-MiniLM-L6-v2',
    'vendor/vendor-only',
  ]);
  expect(listed[0]).toMatchObject({
    capabilities: ['CHAT', 'TOOLS'],
    inputUsdPerMillion: 0.4,
    outputUsdPerMillion: 1.6,
    health: { circuit: 'CLOSED', callsLastMinute: 1, errorRate: 0 },
  });
  expect(listed[3]).toMatchObject({
    capabilities: ['EMBEDDING'],
    inputUsdPerMillion: 0,
    health: { callsLastMinute: 0 },
  });
  expect(listed[4]).toMatchObject({ contextWindow: 32_000, inputUsdPerMillion: null });
});

test('providers are probed at the same time, once per 30 s, and a slow one costs the list no more than the probe', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  let probes = 0;
  const good = scriptedProvider({
    name: 'good',
    models: async () => {
      probes += 1;
      return [{ name: 'good-one', capabilities: [], contextWindow: null }];
    },
  });
  const slow = [1, 2].map((number) =>
    scriptedProvider({ name: `slow ${number}`, models: (signal) => aborted(signal) }),
  );
  const models = createModels({
    providers: [good, ...slow].map((provider) => ({
      provider,
      chatModel: `${provider.name} chat`,
      embeddingModel: `${provider.name} embedding`,
    })),
  });
  const { signal } = callerOf();
  const lists = Promise.all([models.list(signal), models.list(signal)]);
  await vi.advanceTimersByTimeAsync(2_000);
  for (const list of await lists) expect(list).toHaveLength(7);
  expect(probes).toBe(1);
  expect(models.health()).toEqual([
    { name: 'good', ok: true, detail: null },
    { name: 'slow 1', ok: false, detail: expect.stringContaining('2000 ms') },
    { name: 'slow 2', ok: false, detail: expect.stringContaining('2000 ms') },
  ]);
  await vi.advanceTimersByTimeAsync(20_000);
  const soon = models.list(signal);
  await vi.advanceTimersByTimeAsync(2_000);
  await soon;
  expect(probes).toBe(1);
  await vi.advanceTimersByTimeAsync(10_000);
  const later = models.list(signal);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await later).toHaveLength(7);
  expect(probes).toBe(2);
});

test('a caller that leaves the list ends its own wait only', async () => {
  const { promise, resolve } = Promise.withResolvers<[]>();
  const models = poolOf(scriptedProvider({ models: () => promise }));
  const leaver = callerOf();
  const [left, stays] = [failureOf(models.list(leaver.signal)), models.list(callerOf().signal)];
  leaver.abort();
  expect(await left).toMatchObject({ code: 'CANCELLED' });
  resolve([]);
  expect(await stays).toHaveLength(2);
});

test('health tells how the last call went, without waiting and without the words of an unknown error', async () => {
  let failure: Error = unavailable();
  const provider = scriptedProvider({
    complete: () => Promise.reject(failure),
    models: () => Promise.reject(rejected()),
  });
  const models = poolOf(provider, { retries: 0 });
  expect(models.health()).toEqual([{ name: 'scripted', ok: true, detail: null }]);
  await models.list(callerOf().signal);
  expect(models.health()).toEqual([{ name: 'scripted', ok: false, detail: 'scripted: 400' }]);
  await models.embed('embedder', 'text', callerOf());
  expect(models.health()).toEqual([{ name: 'scripted', ok: true, detail: null }]);
  await failureOf(models.complete(ask(), callerOf()));
  expect(models.health()).toEqual([{ name: 'scripted', ok: false, detail: 'scripted: 503' }]);
  failure = new Error('Bearer sk-secret');
  await failureOf(models.complete(ask(), callerOf()));
  expect(models.health()).toEqual([{ name: 'scripted', ok: false, detail: 'it failed in an unexpected way' }]);
  failure = rejected();
  await failureOf(models.complete(ask(), callerOf()));
  expect(models.health()).toEqual([{ name: 'scripted', ok: true, detail: null }]);
});

test('closing the pool ends a stream in its middle, and refuses what comes after', async () => {
  const provider = scriptedProvider({ chat: (_, signal) => stalls(signal, 'Hello') });
  const models = poolOf(provider);
  const failure = failureOf(textOf(models.chat(ask(), callerOf())));
  await vi.waitUntil(() => provider.chats.length === 1);
  await models.close();
  expect(await failure).toMatchObject({ code: 'CANCELLED', message: expect.stringContaining('shutting down') });
  await vi.waitUntil(() => provider.chats[0]?.over === true);
  expect(await failureOf(models.complete(ask(), callerOf()))).toMatchObject({ code: 'CANCELLED' });
  expect(provider.completions).toHaveLength(0);
});
