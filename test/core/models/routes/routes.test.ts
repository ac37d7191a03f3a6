import { afterEach, describe, expect, test, vi } from 'vitest';
import { GatewayError } from '../../../../core/contracts/gateway-error.ts';
import type { PoolObserver } from '../../../../core/contracts/pool-observer.ts';
import { createModels } from '../../../../core/models/create-models.ts';
import type { PoolChunk } from '../../../../core/models/models.ts';
import type { ConfiguredModel, ModelsOptions } from '../../../../core/models/models-options.ts';
import type { RouteOptions } from '../../../../core/models/routes/route-options.ts';
import {
  breaks,
  rejected,
  type Script,
  says,
  scriptedProvider,
  stalls,
  unavailable,
} from '../../../helpers/scripted-provider.ts';
import { ask, callerOf, failureOf, textOf } from '../pool.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** A route `both` over the model m of a and of b. */
function twoTargets(
  a: Script,
  b: Script,
  route: Partial<RouteOptions> = {},
  options: Partial<ModelsOptions> & {
    readonly modelA?: Partial<ConfiguredModel>;
    readonly modelB?: Partial<ConfiguredModel>;
  } = {},
) {
  const [providerA, providerB] = [scriptedProvider({ name: 'a', ...a }), scriptedProvider({ name: 'b', ...b })];
  const { modelA = {}, modelB = {}, ...rest } = options;
  const targets = [
    { provider: 'a', model: 'm' },
    { provider: 'b', model: 'm' },
  ];
  const models = createModels({
    backoff: { backoffMs: 1 },
    providers: [
      { provider: providerA, chatModel: 'talker', embeddingModel: 'e', models: [{ name: 'm', ...modelA }] },
      { provider: providerB, chatModel: null, embeddingModel: null, models: [{ name: 'm', ...modelB }] },
    ],
    routes: [{ name: 'both', policy: 'fallback', targets, ...route }],
    ...rest,
  });
  return { models, providerA, providerB };
}

const broken: Script = { chat: () => breaks(unavailable()), complete: () => Promise.reject(unavailable()) };

async function chunksOf(chunks: AsyncIterable<PoolChunk>): Promise<PoolChunk[]> {
  const seen: PoolChunk[] = [];
  for await (const chunk of chunks) seen.push(chunk);
  return seen;
}

describe('a route', () => {
  test('goes to its first target, and to the next one before the first token when that fails', async () => {
    const fellBack = vi.fn();
    const observer = {
      queued() {},
      ended() {},
      retrying() {},
      circuit() {},
      cache() {},
      spent() {},
      fellBack,
    } satisfies PoolObserver;
    const { models, providerA, providerB } = twoTargets(broken, {}, {}, { observer });
    const chunks = await chunksOf(models.chat(ask('Hi', 'both'), callerOf()));
    expect(chunks[0]).toEqual({ type: 'model', name: 'm', provider: 'b' });
    expect(await models.complete(ask('Hi', 'both'), callerOf())).toMatchObject({ text: 'Hello', model: 'm' });
    expect([providerA.chats, providerB.chats].map(({ length }) => length)).toEqual([1, 1]);
    const site = { route: 'both', model: 'm', kind: 'chat' };
    expect(fellBack.mock.calls[0]).toEqual([
      { ...site, provider: 'a' },
      { ...site, provider: 'b' },
      'UPSTREAM_UNAVAILABLE',
      false,
    ]);
  });

  test('that no target answers tells what each one said, and counts all provider calls', async () => {
    const { models } = twoTargets(broken, broken, {}, { retries: 1 });
    expect(await failureOf(textOf(models.chat(ask('Hi', 'both'), callerOf())))).toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      retryable: true,
      message: 'every target of both failed; m (a): scripted: 503; m (b): scripted: 503',
      details: { attempts: 4, issues: ['m (a): scripted: 503', 'm (b): scripted: 503'] },
    });
  });

  test.for([
    ['refused input', rejected(), 1],
    ['a content filter', new GatewayError('UPSTREAM_REJECTED', 'filtered', { upstreamFault: 'CONTENT_FILTER' }), 1],
    [
      'a prompt that is too long',
      new GatewayError('UPSTREAM_REJECTED', 'long', { upstreamFault: 'CONTEXT_LENGTH' }),
      1,
    ],
    [
      'a model that it does not have',
      new GatewayError('UPSTREAM_REJECTED', '404', { upstreamFault: 'UNKNOWN_MODEL' }),
      2,
    ],
    ['a key that is refused', new GatewayError('UPSTREAM_UNAVAILABLE', '401', { upstreamFault: 'KEY' }), 2],
  ] as const)('after %s tries only what may help', async ([, failure, calls]) => {
    const { models, providerA, providerB } = twoTargets({ chat: () => breaks(failure) }, {});
    await textOf(models.chat(ask('Hi', 'both'), callerOf())).catch(() => undefined);
    expect(providerA.chats.length + providerB.chats.length).toBe(calls);
  });

  test('never calls a target before its Retry-After, whoever heard it, and goes elsewhere meanwhile', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
    const limited = new GatewayError('RATE_LIMITED', '429', { retryable: true, details: { retryAfterMs: 2_000 } });
    const { models, providerA, providerB } = twoTargets(
      { chat: (_, _signal, call) => (call === 1 ? breaks(limited) : says('back')) },
      {},
    );
    const said = () => textOf(models.chat(ask('Hi', 'both'), callerOf()));
    expect(await said()).toBe('Hello');
    await vi.advanceTimersByTimeAsync(1_990);
    expect(await said()).toBe('Hello');
    expect(providerA.chats).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(20);
    expect(await said()).toBe('back');
    expect(providerB.chats).toHaveLength(2);
  });

  test('waits for the target that is ready first when all are at their limits', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
    const limited = (ms: number): Script => ({
      chat: (_, _signal, call) =>
        call === 1
          ? breaks(new GatewayError('RATE_LIMITED', '429', { retryable: true, details: { retryAfterMs: ms } }))
          : says(`after ${ms}`),
    });
    const { models } = twoTargets(limited(3_000), limited(1_000));
    const first = textOf(models.chat(ask('Hi', 'both'), callerOf()));
    await vi.advanceTimersByTimeAsync(0);
    const second = textOf(models.chat(ask('Hi', 'both'), callerOf()));
    const hasty = failureOf(textOf(models.chat(ask('Hi', 'both'), callerOf('acme', 500))));
    await vi.advanceTimersByTimeAsync(0);
    expect(await hasty).toMatchObject({ code: 'RATE_LIMITED', details: { attempts: 0, retryAfterMs: 1_000 } });
    await vi.advanceTimersByTimeAsync(1_100);
    expect(await Promise.all([first, second])).toEqual(['after 1000', 'after 1000']);
  });

  test('begins again at the next target when a stream breaks, where it may, and says so', async () => {
    const { models } = twoTargets(
      { chat: () => breaks(unavailable(), 'Hel') },
      { chat: () => says('Hello', { input: 5, output: 1 }) },
      { midStreamFallback: true },
    );
    const caller = callerOf();
    expect(await chunksOf(models.chat(ask('Hi', 'both'), caller))).toEqual([
      { type: 'model', name: 'm', provider: 'a' },
      { type: 'text', delta: 'Hel' },
      { type: 'reset', reason: 'm (a) broke off; m (b) begins again.' },
      { type: 'model', name: 'm', provider: 'b' },
      { type: 'text', delta: 'Hello' },
      { type: 'usage', tokens: { inputTokens: 5, cachedInputTokens: 0, outputTokens: 1 } },
      { type: 'finish', reason: 'STOP' },
    ]);
    // What had come before the break is paid, too.
    expect(caller.meter.usage).toMatchObject({ calls: 2, estimated: true });
  });

  test('fails with a broken stream where it may not begin again', async () => {
    const { models, providerB } = twoTargets({ chat: () => breaks(unavailable(), 'Hel') }, {});
    expect(await failureOf(textOf(models.chat(ask('Hi', 'both'), callerOf())))).toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
    });
    expect(providerB.chats).toHaveLength(0);
  });

  test('takes a prompt that is too long to its larger context, known beforehand or not', async () => {
    const tooLong = new GatewayError('UPSTREAM_REJECTED', 'too long', { upstreamFault: 'CONTEXT_LENGTH' });
    const { models, providerA, providerB } = twoTargets(
      { chat: () => breaks(tooLong) },
      {},
      { targets: [{ provider: 'a', model: 'm' }], largerContext: 'b/m' },
      { modelA: { contextWindow: 100 } },
    );
    expect(await textOf(models.chat(ask('short', 'both'), callerOf()))).toBe('Hello');
    expect(await textOf(models.chat(ask('word '.repeat(200), 'both'), callerOf()))).toBe('Hello');
    expect([providerA.chats, providerB.chats].map(({ length }) => length)).toEqual([1, 2]);
  });

  test('bears what its largest target does, and reads what all of them read', () => {
    const { models } = twoTargets(
      {},
      {},
      { coalesce: true },
      {
        modelA: { contextWindow: 8_000, maxOutputTokens: 1_000, attachments: ['image/png', 'text/*'] },
        modelB: { contextWindow: 32_000, maxOutputTokens: 4_000, attachments: ['image/*'] },
      },
    );
    expect(models.chatModel('both')).toEqual({
      name: 'both',
      provider: 'a',
      generative: true,
      contextWindow: 32_000,
      maxOutputTokens: 4_000,
      attachments: ['image/png'],
      route: { name: 'both', coalesce: true },
    });
    expect(models.chatModel('b/m')).toMatchObject({ name: 'm', provider: 'b', route: null });
  });
});

describe('names', () => {
  test('of nobody are refused with the nearest where the provider is closed or a route was meant', async () => {
    const { models, providerA } = twoTargets({}, {});
    expect(() => models.chatModel('boht')).toThrow(
      'no model or route is called "boht"; the nearest name is "both"; for a model of this name write "a/boht"',
    );
    expect(models.chatModel('a/boht')).toMatchObject({ name: 'boht', provider: 'a' });
    expect(models.chatModel('something-else')).toMatchObject({ provider: 'a', route: null });
    const closed = createModels({
      providers: [{ provider: providerA, closed: true, chatModel: 'talker', embeddingModel: 'e' }],
    });
    expect(() => closed.chatModel('takler')).toThrow(
      'no model or route is called "takler"; the nearest name is "talker"; a offers no other models',
    );
  });

  test('of routes that lead to themselves or nowhere are a fault at the start', () => {
    const targets = [{ provider: 'a', model: 'm' }];
    const routes: RouteOptions[] = [
      { name: 'one', policy: 'fallback', targets, largerContext: 'one' },
      { name: 'two', policy: 'fallback', targets: [{ provider: 'x', model: 'm' }] },
    ];
    expect(() => twoTargets({}, {}, {}, { routes })).toThrow(
      'routes.one.largerContext: a route must not lead back to itself: one → one; routes.two.targets.0.provider: expected one of the providers a, b',
    );
  });
});

describe('the policy', () => {
  const count = async (
    route: Partial<RouteOptions>,
    options: Parameters<typeof twoTargets>[3],
    calls: number,
    a: Script = {},
    b: Script = {},
  ) => {
    const { models, providerA, providerB } = twoTargets(a, b, route, options);
    for (let call = 0; call < calls; call += 1) await textOf(models.chat(ask('Hi', 'both'), callerOf()));
    return [providerA.chats.length, providerB.chats.length];
  };

  test('weighted draws by weight', async () => {
    let turn = 0;
    const random = () => (turn++ % 10) / 10 + 0.05;
    const targets = [
      { provider: 'a', model: 'm', weight: 3 },
      { provider: 'b', model: 'm', weight: 7 },
    ];
    const [a = 0, b = 0] = await count({ policy: 'weighted', targets }, { random }, 100);
    expect(a + b).toBe(100);
    expect(a).toBeGreaterThan(20);
    expect(a).toBeLessThan(65);
  });

  test('cheapest goes by price, an unknown one last', async () => {
    const price = (inputUsdPerMillion: number) => ({ inputUsdPerMillion, outputUsdPerMillion: inputUsdPerMillion });
    expect(await count({ policy: 'cheapest' }, { modelA: price(2), modelB: price(1) }, 3)).toEqual([0, 3]);
    expect(await count({ policy: 'cheapest' }, { modelB: price(9) }, 3)).toEqual([0, 3]);
  });

  test('fastest learns which target begins first, and looks at the other one now and then', async () => {
    const slow = (ms: number): Script => ({
      async *chat() {
        await new Promise((resolve) => setTimeout(resolve, ms));
        yield* says('Hello');
      },
    });
    const [a = 0, b = 0] = await count({ policy: 'fastest' }, { random: () => 0.5 }, 10, slow(60), slow(1));
    expect([a, b]).toEqual([1, 9]);
    let turn = 0;
    const now = [0.5, 0.01, 0.01];
    const random = () => now[turn++ % now.length] ?? 0;
    const explored = await count({ policy: 'fastest' }, { random }, 10, slow(60), slow(1));
    expect(explored[0]).toBeGreaterThan(1);
  });
});

describe('hedging', () => {
  test('begins a second call when the first is slow, keeps the faster one, and counts what the other read', async () => {
    const { models, providerA, providerB } = twoTargets(
      { chat: (_, signal) => stalls(signal) },
      { chat: () => says('Hello', { input: 5, output: 1 }) },
      { hedge: { after: { ms: 20 }, maxShare: 0.5 } },
    );
    const caller = callerOf();
    expect(await textOf(models.chat(ask('Hi', 'both'), caller))).toBe('Hello');
    await vi.waitUntil(() => providerA.chats[0]?.over === true);
    expect(providerB.chats).toHaveLength(1);
    await vi.waitUntil(() => caller.meter.usage.calls === 2);
    expect(caller.meter.usage).toMatchObject({ outputTokens: 1, estimated: true });
  });

  test('is no more than its share of the calls', async () => {
    const { models, providerB } = twoTargets(
      {
        async *chat() {
          await new Promise((resolve) => setTimeout(resolve, 30));
          yield* says('slow');
        },
      },
      {},
      { hedge: { after: { ms: 5 }, maxShare: 0.25 } },
    );
    for (let call = 0; call < 9; call += 1) await textOf(models.chat(ask('Hi', 'both'), callerOf()));
    // One in advance, and one for every four calls.
    expect(providerB.chats.length).toBeGreaterThanOrEqual(2);
    expect(providerB.chats.length).toBeLessThanOrEqual(3);
  });

  test('leaves a call alone that begins in time, or whose usual time is not known', async () => {
    for (const after of [{ ms: 5_000 }, { percentile: 0.95 }]) {
      const { models, providerB } = twoTargets({}, {}, { hedge: { after, maxShare: 1 } });
      expect(await textOf(models.chat(ask('Hi', 'both'), callerOf()))).toBe('Hello');
      expect(providerB.chats).toHaveLength(0);
    }
  });
});
