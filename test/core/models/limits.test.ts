import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { memoryRateLimiter } from '../../../adapters/memory/rate-limiter.ts';
import { openaiProvider } from '../../../adapters/openai/openai-provider.ts';
import { GatewayError } from '../../../core/contracts/gateway-error.ts';
import { createModels } from '../../../core/models/create-models.ts';
import { processorWait } from '../../helpers/processor-wait.ts';
import { breaks, says, scriptedProvider, unavailable } from '../../helpers/scripted-provider.ts';
import { startVendor } from '../../helpers/vendor/vendor.ts';
import { ask, callerOf, failureOf, poolOf, textOf } from './pool.ts';

describe('the queue of a target', () => {
  async function eightAtOnce(latencyMs: number) {
    const vendor = await startVendor({ defaults: { latencyMs } });
    const provider = openaiProvider({ name: 'vendor', baseUrl: vendor.url, apiKey: null });
    const models = createModels({
      providers: [{ provider, chatModel: 'm', embeddingModel: 'e', limits: { maxConcurrent: 8 } }],
    });
    onTestFinished(() => vendor.close());
    return { vendor, models };
  }

  test('lets eight of 1,000 calls at once through to the vendor, and all of them in the end', async () => {
    const { vendor, models } = await eightAtOnce(2);
    const replies = Array.from({ length: 1_000 }, () => models.complete(ask(), callerOf()));
    expect(await Promise.all(replies)).toHaveLength(1_000);
    expect(vendor.calls()).toHaveLength(1_000);
    expect(vendor.maxConcurrent).toBeLessThanOrEqual(8);
  });

  test('serves ten calls of one tenant within 3× of alone while another tenant has 1,000', async () => {
    const { vendor, models } = await eightAtOnce(50);
    const [large, small] = [callerOf('large'), callerOf('small')];
    // Each call takes the vendor the same time: so many calls as are made meanwhile, so long does it take on any machine.
    const callsMeanwhile = async () => {
      const before = vendor.calls().length;
      await Promise.all(Array.from({ length: 10 }, () => models.complete(ask(), small)));
      return vendor.calls().length - before;
    };
    expect(await callsMeanwhile()).toBe(10);
    const crowd = Array.from({ length: 1_000 }, () => models.complete(ask(), large));
    await vi.waitUntil(() => vendor.inFlight === 8);
    expect(await callsMeanwhile()).toBeLessThan(30);
    expect(vendor.maxConcurrent).toBe(8);
    large.abort();
    await Promise.allSettled(crowd);
  });

  test('that one tenant has filled gives way to another, who is not refused for it', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const provider = scriptedProvider({
      complete: async () => {
        await gate;
        return { text: 'Hello', finishReason: 'STOP', tokens: null };
      },
    });
    const models = poolOf(provider, { limits: { maxConcurrent: 1, maxQueued: 4 } });
    const crowd = Array.from({ length: 5 }, () =>
      models.complete(ask(), callerOf('large')).then(
        () => 'served',
        (error) => error.code,
      ),
    );
    await vi.waitUntil(() => provider.completions.length === 1);
    const other = models.complete(ask(), callerOf('small'));
    open();
    expect((await other).text).toBe('Hello');
    expect((await Promise.all(crowd)).toSorted()).toEqual(['RATE_LIMITED', 'served', 'served', 'served', 'served']);
  });
});

describe('rates per minute', () => {
  const limited = (limits: object, provider = scriptedProvider()) => ({
    provider,
    models: poolOf(provider, { limits, rateLimiter: memoryRateLimiter() }),
  });

  test('let as many calls through as there is room for, and refuse at once who cannot wait', async () => {
    const { models, provider } = limited({ requestsPerMinute: 60 });
    const calls = Array.from({ length: 100 }, () =>
      models.complete(ask(), callerOf('acme', 2_500)).then(
        () => null,
        (error) => error,
      ),
    );
    const [begunAt, waitedMs] = [performance.now(), processorWait()];
    const failures = (await Promise.all(calls)).filter((error) => error !== null);
    const tookMs = performance.now() - begunAt;
    // 60 at once, and one more for each second that it took.
    expect(100 - failures.length).toBeGreaterThanOrEqual(61);
    expect(100 - failures.length).toBeLessThanOrEqual(61 + Math.ceil(tookMs / 1_000));
    expect(provider.completions).toHaveLength(100 - failures.length);
    expect(failures[0]).toMatchObject({
      code: 'RATE_LIMITED',
      details: { attempts: 0, retryAfterMs: expect.any(Number) },
    });
    expect(tookMs - waitedMs()).toBeLessThan(10_000);
    const [askedAt, waitedSinceMs] = [performance.now(), processorWait()];
    await failureOf(models.complete(ask(), callerOf('acme', 20)));
    expect(performance.now() - askedAt - waitedSinceMs()).toBeLessThan(200);
  });

  test('of tokens are estimated before a call, and corrected by what it used', async () => {
    const provider = scriptedProvider({ chat: () => says('Hello', { input: 10, output: 40 }) });
    const { models } = limited({ tokensPerMinute: 2_000 }, provider);
    // Each is taken for 1,024 tokens of output and more; really it uses 50.
    for (let call = 0; call < 10; call += 1) await textOf(models.chat(ask(), callerOf('acme', 100)));
    expect(provider.chats).toHaveLength(10);
    const greedy = { ...ask(), maxOutputTokens: 1_900 };
    expect(await failureOf(textOf(models.chat(greedy, callerOf('acme', 100))))).toMatchObject({ code: 'RATE_LIMITED' });
  });

  test('need a place to be counted in', () => {
    const models = poolOf(scriptedProvider(), { limits: { requestsPerMinute: 1 } });
    return expect(models.complete(ask(), callerOf())).rejects.toThrow('needs a rateLimiter');
  });

  test('that the provider says are used up are waited for until it says they are whole', async () => {
    await using vendor = await startVendor();
    vendor.next({ headers: { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '300ms' } });
    const provider = openaiProvider({ baseUrl: vendor.url, apiKey: null });
    const models = createModels({ providers: [{ provider, chatModel: 'm', embeddingModel: 'e' }] });
    await models.complete(ask(), callerOf());
    const heardAt = performance.now();
    await models.complete(ask(), callerOf());
    expect(performance.now() - heardAt).toBeGreaterThan(280);
  });
});

describe('several keys of a provider', () => {
  const keyed = (
    first: Parameters<typeof scriptedProvider>[0],
    second: Parameters<typeof scriptedProvider>[0] = {},
  ) => {
    const keys = [scriptedProvider({ name: 'p', ...first }), scriptedProvider({ name: 'p', ...second })] as const;
    const models = createModels({
      backoff: { backoffMs: 1 },
      retries: 0,
      providers: [{ provider: keys[0], moreKeys: [keys[1]], chatModel: 'm', embeddingModel: 'e' }],
    });
    return { keys, models };
  };

  test('share the calls that are under way', async () => {
    const { keys, models } = keyed({});
    await Promise.all(Array.from({ length: 10 }, () => models.complete(ask(), callerOf())));
    expect(keys.map(({ completions }) => completions.length)).toEqual([5, 5]);
  });

  test.for([
    ['is refused', new GatewayError('UPSTREAM_UNAVAILABLE', '401', { upstreamFault: 'KEY' })],
    ['is at its limit', new GatewayError('RATE_LIMITED', '429', { retryable: true, details: { retryAfterMs: 5_000 } })],
  ] as const)('stand in for one that %s, which rests', async ([, failure]) => {
    const { keys, models } = keyed({ chat: () => breaks(failure) });
    for (let call = 0; call < 5; call += 1) expect(await textOf(models.chat(ask(), callerOf()))).toBe('Hello');
    expect(keys.map(({ chats }) => chats.length)).toEqual([1, 5]);
  });
});

test('a target that is down is retried no more than its budget allows', async () => {
  const provider = scriptedProvider({ complete: () => Promise.reject(unavailable()) });
  const models = poolOf(provider, {
    retryBudget: { share: 0.2, perMinute: 5 },
    circuit: { minimumCalls: 1_000, calls: 1_000 },
  });
  for (let call = 0; call < 50; call += 1) await failureOf(models.complete(ask(), callerOf()));
  // 50 calls, a floor of 5, and one retry for every five calls; without a budget it would be 150.
  expect(provider.completions.length).toBeGreaterThanOrEqual(60);
  expect(provider.completions.length).toBeLessThanOrEqual(66);
});
