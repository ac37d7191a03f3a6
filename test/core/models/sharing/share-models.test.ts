import { describe, expect, test, vi } from 'vitest';
import { memoryResponseCache } from '../../../../adapters/memory/response-cache.ts';
import { GatewayError } from '../../../../core/contracts/gateway-error.ts';
import type { ChatChunk } from '../../../../core/contracts/model-provider.ts';
import { createModels } from '../../../../core/models/create-models.ts';
import type { CallOptions, ModelRequest, Models } from '../../../../core/models/models.ts';
import { shareModels } from '../../../../core/models/sharing/share-models.ts';
import { defaultSharing } from '../../../../core/models/sharing/sharing-policy.ts';
import { noUsage } from '../../../../core/models/usage/usage-meter.ts';
import {
  aborted,
  breaks,
  type Script,
  says,
  scriptedProvider,
  stalls,
  unavailable,
} from '../../../helpers/scripted-provider.ts';
import { ask, callerOf, failureOf, poolOf, textOf } from '../pool.ts';

const cold: ModelRequest = { ...ask(), temperature: 0 };

/** A pool that shares what is asked at temperature 0, and all that is asked of the model "shared". */
function sharing(script: Script = {}, pool: Parameters<typeof poolOf>[1] = {}) {
  const provider = scriptedProvider(script);
  const cache = vi.fn();
  const models = shareModels(poolOf(provider, { retries: 0, ...pool }), {
    policyOf: ({ name }) => ({ ...defaultSharing, coalesce: name === 'shared' }),
    cache: memoryResponseCache({ maxBytes: 0 }),
    observer: { cache },
  });
  return { provider, models, cache };
}

/** A reply in two pieces; the second one comes when the test says so. */
function halved() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    release: resolve,
    async *chat(_request: unknown, signal: AbortSignal): AsyncGenerator<ChatChunk> {
      yield { type: 'text', delta: 'One' };
      await Promise.race([promise, aborted(signal)]);
      yield* says(' two', { input: 10, output: 2 });
    },
  };
}

/** Reads up to the first text, and can be read on. */
async function begun(models: Models, request: ModelRequest, options: CallOptions) {
  const reader = models.chat(request, options)[Symbol.asyncIterator]();
  // Before the first piece comes who says it.
  await reader.next();
  const { value } = await reader.next();
  return { first: value as ChatChunk, rest: () => textOf({ [Symbol.asyncIterator]: () => reader }), reader };
}

describe('identical generations at the same time', () => {
  test('are one provider call; the first caller bears its cost, the others have made no call', async () => {
    const { provider, models, cache } = sharing({ chat: () => says('Hel', 'lo', { input: 10, output: 2 }) });
    const callers = Array.from({ length: 100 }, () => callerOf());
    const texts = await Promise.all(callers.map((caller) => textOf(models.chat(cold, caller))));
    expect(provider.chats).toHaveLength(1);
    expect(new Set(texts)).toEqual(new Set(['Hello']));
    const [first, ...others] = callers.map(({ meter }) => meter.usage);
    expect(first).toMatchObject({ calls: 1, inputTokens: 10, outputTokens: 2, estimated: false });
    expect(others).toEqual(others.map(() => noUsage));
    expect(cache.mock.calls.filter(([, , isHit]) => isHit)).toHaveLength(99);
    expect(cache.mock.calls[0]).toEqual(['coalesced', 'talker', false]);
  });

  test('are one call without a stream too', async () => {
    const tokens = { inputTokens: 5, cachedInputTokens: 0, outputTokens: 1 };
    const { provider, models } = sharing({ complete: async () => ({ text: 'Yes', finishReason: 'STOP', tokens }) });
    const callers = Array.from({ length: 10 }, () => callerOf());
    const replies = await Promise.all(callers.map((caller) => models.complete(cold, caller)));
    expect(provider.completions).toHaveLength(1);
    expect(new Set(replies.map(({ text, model }) => `${model}: ${text}`))).toEqual(new Set(['talker: Yes']));
    expect(callers.map(({ meter }) => meter.usage.calls)).toEqual([1, ...Array(9).fill(0)]);
  });

  test('are shared above temperature 0 only where the model says so', async () => {
    const { provider, models } = sharing();
    const warm = { ...ask(), temperature: 0.7 };
    await Promise.all([warm, warm, ask(), ask()].map((request) => textOf(models.chat(request, callerOf()))));
    expect(provider.chats).toHaveLength(4);
    const shared = { ...warm, model: 'shared' };
    await Promise.all([shared, shared].map((request) => textOf(models.chat(request, callerOf()))));
    expect(provider.chats).toHaveLength(5);
  });

  test('that differ in anything are calls of their own', async () => {
    const { provider, models } = sharing();
    const [question] = cold.messages;
    const variants: ModelRequest[] = [
      cold,
      { ...cold, model: 'other' },
      { ...cold, topP: 0.5 },
      { ...cold, seed: 1 },
      { ...cold, stop: ['.'] },
      { ...cold, maxOutputTokens: 5 },
      { ...cold, reasoningEffort: 'LOW' },
      { ...cold, responseSchema: { type: 'object' } },
      { ...cold, providerOptions: { tools: [{ type: 'function' }] } },
      { ...cold, sources: [] },
      { ...cold, messages: [{ role: 'SYSTEM', text: 'Be brief.' }, ...cold.messages] },
      { ...cold, messages: [{ role: 'USER', text: `${question?.text} ` }] },
      { ...cold, messages: [{ role: 'USER', text: `${question?.text}`, attachments: [] }] },
    ];
    await Promise.all([
      ...variants.map((request) => textOf(models.chat(request, callerOf()))),
      textOf(models.chat(cold, callerOf('globex'))),
    ]);
    expect(provider.chats).toHaveLength(variants.length + 1);
    await textOf(models.chat({ ...cold, model: 'talker' }, callerOf()));
    expect(provider.chats, 'one after the other is not at the same time').toHaveLength(variants.length + 2);
  });

  test('of the same model at another provider are calls of their own', async () => {
    const [one, other] = [scriptedProvider({ name: 'one' }), scriptedProvider({ name: 'other' })];
    const pool = createModels({
      providers: [one, other].map((provider) => ({ provider, chatModel: 'talker', embeddingModel: 'embedder' })),
    });
    const models = shareModels(pool, { policyOf: () => defaultSharing, cache: memoryResponseCache({ maxBytes: 0 }) });
    const asked = ['one/talker', 'other/talker'].map((model) => textOf(models.chat({ ...cold, model }, callerOf())));
    await Promise.all(asked);
    expect([one, other].map(({ chats }) => chats.length)).toEqual([1, 1]);
  });

  test('that name the default model, or no model, are identical', async () => {
    const { provider, models } = sharing();
    await Promise.all([cold, { ...cold, model: 'talker' }].map((request) => textOf(models.chat(request, callerOf()))));
    expect(provider.chats).toHaveLength(1);
  });
});

describe('a caller that comes late', () => {
  test('is told what came before it, and follows on', async () => {
    const script = halved();
    const { provider, models } = sharing(script);
    const first = await begun(models, cold, callerOf());
    const late = await begun(models, cold, callerOf());
    expect(late.first).toEqual({ type: 'text', delta: 'One' });
    script.release();
    expect(await Promise.all([first.rest(), late.rest()])).toEqual([' two', ' two']);
    expect(provider.chats).toHaveLength(1);
  });

  test('does not hold up the others when it reads slowly', async () => {
    const { models } = sharing({ chat: () => says(...Array<string>(1_000).fill('x')) });
    const slow = await begun(models, cold, callerOf());
    const slower = await begun(models, cold, callerOf());
    expect(await textOf(models.chat(cold, callerOf()))).toHaveLength(1_000);
    expect((await Promise.all([slow.rest(), slower.rest()])).map(({ length }) => length)).toEqual([999, 999]);
  });
});

describe('a caller that leaves', () => {
  test('leaves the others their call; when the last one has left it is aborted, and that one has the cost', async () => {
    const script = halved();
    const { provider, models } = sharing(script);
    const callers = Array.from({ length: 100 }, () => callerOf());
    const reading = callers.map((caller) => failureOf(textOf(models.chat(cold, caller))));
    await vi.waitFor(() => expect(provider.chats).toHaveLength(1));
    await begun(models, cold, callerOf()).then(({ reader }) => reader.return?.());
    for (const caller of callers.slice(0, 50)) caller.abort();
    await Promise.all(reading.slice(0, 50));
    expect(provider.chats[0]).toMatchObject({ over: false });
    for (const caller of callers.slice(50)) caller.abort();
    const failures = await Promise.all(reading);
    expect(provider.chats[0]).toMatchObject({ over: true });
    expect(provider.chats[0]?.signal.aborted).toBe(true);
    expect(failures).toEqual(failures.map(() => expect.objectContaining({ code: 'CANCELLED' })));
    const usages = callers.map(({ meter }) => meter.usage);
    expect(usages.slice(0, -1)).toEqual(usages.slice(0, -1).map(() => noUsage));
    expect(usages.at(-1)).toMatchObject({ calls: 1, estimated: true });
  });

  test('leaves the cost too when it was the first', async () => {
    const script = halved();
    const onUsage = vi.fn();
    const { models } = sharing(script, { onUsage });
    const [first, second, third] = [callerOf(), callerOf(), callerOf()];
    const left = failureOf(textOf(models.chat(cold, first)));
    const stay = [second, third].map((caller) => textOf(models.chat(cold, caller)));
    first.abort();
    expect(await left).toMatchObject({ code: 'CANCELLED' });
    script.release();
    expect(await Promise.all(stay)).toEqual(['One two', 'One two']);
    expect([first, second, third].map(({ meter }) => meter.usage.calls)).toEqual([0, 1, 0]);
    expect(second.meter.usage).toMatchObject({ inputTokens: 10, outputTokens: 2 });
    expect(onUsage).toHaveBeenCalledTimes(1);
  });

  test('leaves by its own deadline alone', async () => {
    const script = halved();
    const { models } = sharing(script);
    const hasty = failureOf(textOf(models.chat(cold, callerOf('acme', 30))));
    const patient = textOf(models.chat(cold, callerOf()));
    expect(await hasty).toMatchObject({ code: 'UPSTREAM_TIMEOUT', details: { phase: 'TOTAL' } });
    script.release();
    expect(await patient).toBe('One two');
  });

  test('makes no call when it had left before it came', async () => {
    const { provider, models } = sharing();
    const gone = callerOf();
    gone.abort();
    expect(await failureOf(textOf(models.chat(cold, gone)))).toMatchObject({ code: 'CANCELLED' });
    expect(await failureOf(models.complete(cold, gone))).toMatchObject({ code: 'CANCELLED' });
    expect([provider.chats, provider.completions]).toEqual([[], []]);
  });

  test('takes its call with it: who asks the same once it is aborted does not join it', async () => {
    const { provider, models } = sharing({
      chat: (_request, signal, call) => (call === 1 ? stalls(signal, 'One') : says('Again')),
    });
    let again: Promise<string> | null = null;
    const first = callerOf();
    const left = failureOf(textOf(models.chat(cold, first)));
    await vi.waitFor(() => expect(provider.chats).toHaveLength(1));
    provider.chats[0]?.signal.addEventListener('abort', () => {
      again = textOf(models.chat(cold, callerOf()));
    });
    first.abort();
    await left;
    expect(await again).toBe('Again');
  });
});

describe('a call that fails', () => {
  test('fails all who share it, after the retries, and none who come later', async () => {
    const { provider, models } = sharing(
      { chat: (_request, _signal, call) => (call <= 2 ? breaks(unavailable()) : says('Well')) },
      { retries: 1 },
    );
    const failures = await Promise.all(
      Array.from({ length: 10 }, () => failureOf(textOf(models.chat(cold, callerOf())))),
    );
    expect(new Set(failures)).toEqual(
      new Set([expect.objectContaining({ code: 'UPSTREAM_UNAVAILABLE', details: { attempts: 2 } })]),
    );
    expect(provider.chats).toHaveLength(2);
    expect(await textOf(models.chat(cold, callerOf()))).toBe('Well');
  });

  test('for the budget of the first key is made again by who pays with another', async () => {
    const provider = scriptedProvider();
    const pool = poolOf(provider);
    const refusing: Models = Object.create(pool, {
      chatModel: { value: (name: string | null) => pool.chatModel(name) },
      chat: {
        async *value(request: ModelRequest, options: CallOptions) {
          await Promise.resolve();
          if (options.payer === 'poor') throw new GatewayError('BUDGET_EXCEEDED', 'spent');
          yield* pool.chat(request, options);
        },
      },
    });
    const models = shareModels(refusing, {
      policyOf: () => ({ ...defaultSharing, coalesce: true }),
      cache: memoryResponseCache({ maxBytes: 0 }),
    });
    const payers = ['poor', 'rich', 'poor', 'other'];
    const outcomes = await Promise.allSettled(
      payers.map((payer) => textOf(models.chat(cold, { ...callerOf(), payer }))),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled']);
    expect(provider.chats).toHaveLength(1);
  });

  test('for the name of its model says what the pool says', async () => {
    const { models } = sharing();
    const failure = await failureOf(textOf(models.chat({ ...cold, model: 'embedder' }, callerOf())));
    expect(failure).toMatchObject({ code: 'BAD_INPUT' });
  });
});
