import { describe, expect, test, vi } from 'vitest';
import { memoryResponseCache } from '../../../../adapters/memory/response-cache.ts';
import type { FinishReason } from '../../../../core/contracts/model-provider.ts';
import type { ModelRequest, Models, PoolChunk } from '../../../../core/models/models.ts';
import { shareModels } from '../../../../core/models/sharing/share-models.ts';
import { noUsage } from '../../../../core/models/usage/usage-meter.ts';
import { breaks, type Script, says, scriptedProvider, unavailable } from '../../../helpers/scripted-provider.ts';
import { ask, callerOf, failureOf, poolOf, textOf } from '../pool.ts';

const ttlMs = 60_000;

/** A pool whose replies are kept for a minute, or as told. */
function caching(script: Script = {}, lifeMs = ttlMs) {
  const provider = scriptedProvider(script);
  const cache = memoryResponseCache({ maxBytes: 1_000_000 });
  const look = vi.fn();
  const models = shareModels(poolOf(provider, { retries: 0 }), {
    policyOf: () => ({ coalesce: false, cache: { ttlMs: lifeMs }, semantic: null }),
    cache,
    observer: { cache: look },
  });
  return { provider, models, look };
}

async function chunksOf(models: Models, request: ModelRequest, caller = callerOf()): Promise<PoolChunk[]> {
  const chunks: PoolChunk[] = [];
  for await (const chunk of models.chat(request, caller)) chunks.push(chunk);
  return chunks;
}

async function* ending(reason: FinishReason): AsyncGenerator<PoolChunk & { type: 'text' | 'finish' }> {
  yield { type: 'text', delta: 'So far' };
  yield { type: 'finish', reason };
}

describe('a reply that is kept', () => {
  test('streams again in the same chunks, at no cost and without a call', async () => {
    const { provider, models, look } = caching({ chat: () => says('Hel', 'lo', { input: 10, output: 2 }) });
    const first = await chunksOf(models, ask());
    const caller = callerOf();
    expect(await chunksOf(models, ask(), caller)).toEqual(first);
    expect(first).toContainEqual({ type: 'text', delta: 'Hel' });
    expect(caller.meter.usage).toEqual(noUsage);
    expect(provider.chats).toHaveLength(1);
    expect(look.mock.calls.filter(([kind]) => kind === 'exact')).toEqual([
      ['exact', 'talker', false],
      ['exact', 'talker', true],
    ]);
  });

  test('is given again as a whole too', async () => {
    const { provider, models } = caching();
    const first = await models.complete(ask(), callerOf());
    const caller = callerOf();
    expect(await models.complete(ask(), caller)).toEqual(first);
    expect(caller.meter.usage).toEqual(noUsage);
    expect(provider.completions).toHaveLength(1);
  });

  test('is one tenant’s, and the answer to one request', async () => {
    const { provider, models } = caching();
    const others = [ask('Else?'), { ...ask(), seed: 1 }, { ...ask(), temperature: 1 }, { ...ask(), topP: 0.5 }];
    await chunksOf(models, ask());
    for (const other of others) await chunksOf(models, other);
    await chunksOf(models, ask(), callerOf('globex'));
    expect(provider.chats).toHaveLength(others.length + 2);
  });

  test('is asked for again when its time is over', async () => {
    const { provider, models } = caching({}, 20);
    await chunksOf(models, ask());
    await expect
      .poll(async () => {
        await chunksOf(models, ask());
        return provider.chats.length;
      })
      .toBeGreaterThan(1);
  });

  test('is looked for once by all who ask at the same time', async () => {
    const { provider, models, look } = caching();
    await Promise.all(Array.from({ length: 10 }, () => textOf(models.chat(ask(), callerOf()))));
    expect(provider.chats).toHaveLength(1);
    expect(look.mock.calls.filter(([kind]) => kind === 'exact')).toHaveLength(1);
  });
});

describe('a reply is not kept', () => {
  test.each(['LENGTH', 'CONTENT_FILTER', 'TOOL_CALLS'] as const)('that ended with %s', async (reason) => {
    const { provider, models } = caching({
      chat: () => ending(reason),
      complete: async () => ({ text: 'So far', finishReason: reason, tokens: null }),
    });
    for (let time = 0; time < 2; time += 1) {
      await chunksOf(models, ask());
      await models.complete(ask(), callerOf());
    }
    expect([provider.chats, provider.completions].map(({ length }) => length)).toEqual([2, 2]);
  });

  test('that failed, was left, or says nothing', async () => {
    const { provider, models } = caching({
      chat: (_request, _signal, call) =>
        call === 1 ? breaks(unavailable(), 'One') : says(...(call === 2 ? [] : ['Hi'])),
    });
    await failureOf(chunksOf(models, ask()));
    expect(await textOf(models.chat(ask(), callerOf()))).toBe('');
    for await (const _first of models.chat(ask(), callerOf())) break;
    expect(await textOf(models.chat(ask(), callerOf()))).toBe('Hi');
    expect(provider.chats).toHaveLength(4);
    expect(await textOf(models.chat(ask(), callerOf()))).toBe('Hi');
    expect(provider.chats).toHaveLength(4);
  });
});
