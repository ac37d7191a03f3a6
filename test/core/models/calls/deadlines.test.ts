import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { PoolChunk } from '../../../../core/models/models.ts';
import { aborted, says, scriptedProvider, stalls } from '../../../helpers/scripted-provider.ts';
import { ask, callerOf, failureOf, poolOf, textOf } from '../pool.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets everything that is due run, so that the next timer is armed before time moves on. */
const settle = () => vi.advanceTimersByTimeAsync(0);

/** No spy of Vitest's, which is taken back once more after the file: the turned clock would come back for the next one. */
function countTimers(): Disposable & { readonly count: number } {
  const arm = globalThis.setTimeout;
  let count = 0;
  const counting = (...args: Parameters<typeof arm>) => {
    count += 1;
    return arm(...args);
  };
  globalThis.setTimeout = Object.assign(counting, arm);
  return {
    get count() {
      return count;
    },
    [Symbol.dispose]: () => {
      globalThis.setTimeout = arm;
    },
  };
}

test('a provider that sends nothing for 60 s ends as FIRST_TOKEN, and its call is aborted with the reason', async () => {
  const provider = scriptedProvider({ chat: (_, signal) => stalls(signal) });
  const failure = failureOf(textOf(poolOf(provider, { retries: 0 }).chat(ask(), callerOf())));
  await vi.advanceTimersByTimeAsync(59_900);
  expect(provider.chats[0]?.over).toBe(false);
  await vi.advanceTimersByTimeAsync(200);
  const expected = { code: 'UPSTREAM_TIMEOUT', retryable: true, details: { phase: 'FIRST_TOKEN' } };
  expect(await failure).toMatchObject(expected);
  expect(provider.chats[0]?.signal.reason).toMatchObject(expected);
  expect(provider.chats[0]?.over).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test('a provider that is silent for its first token is tried again, within the total deadline', async () => {
  const provider = scriptedProvider({ chat: (_, signal, call) => (call === 1 ? stalls(signal) : says('Hello')) });
  const text = textOf(poolOf(provider).chat(ask(), callerOf()));
  await vi.advanceTimersByTimeAsync(61_000);
  expect(await text).toBe('Hello');
  expect(provider.chats).toHaveLength(2);
});

test('a stream that falls silent for 30 s ends as IDLE after what had come, and is not tried again', async () => {
  const provider = scriptedProvider({ chat: (_, signal) => stalls(signal, 'Hel', 'lo') });
  const seen: PoolChunk[] = [];
  const read = async () => {
    for await (const chunk of poolOf(provider).chat(ask(), callerOf())) seen.push(chunk);
  };
  const failure = failureOf(read());
  await settle();
  expect(seen.map(({ type }) => type)).toEqual(['model', 'text', 'text']);
  await vi.advanceTimersByTimeAsync(29_900);
  expect(provider.chats[0]?.over).toBe(false);
  await vi.advanceTimersByTimeAsync(200);
  expect(await failure).toMatchObject({ code: 'UPSTREAM_TIMEOUT', retryable: true, details: { phase: 'IDLE' } });
  expect(provider.chats).toHaveLength(1);
  expect(provider.chats[0]?.over).toBe(true);
});

test('tokens that keep coming put the idle deadline off, until the total deadline ends the stream as TOTAL', async () => {
  const provider = scriptedProvider({
    async *chat() {
      for (;;) {
        await new Promise((resolve) => setTimeout(resolve, 20_000));
        yield { type: 'text', delta: 'again ' };
      }
    },
  });
  let text = '';
  const read = async () => {
    for await (const chunk of poolOf(provider).chat(ask(), callerOf())) if (chunk.type === 'text') text += chunk.delta;
  };
  const failure = failureOf(read());
  await vi.advanceTimersByTimeAsync(599_000);
  expect(text).toBe('again '.repeat(29));
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await failure).toMatchObject({ code: 'UPSTREAM_TIMEOUT', retryable: true, details: { phase: 'TOTAL' } });
});

test('a slow reader is not taken for a silent provider', async () => {
  const models = poolOf(scriptedProvider({ chat: () => says('Hel', 'lo') }));
  const read = async () => {
    let text = '';
    for await (const chunk of models.chat(ask(), callerOf())) {
      if (chunk.type === 'text') text += chunk.delta;
      await new Promise((resolve) => setTimeout(resolve, 100_000));
    }
    return text;
  };
  const text = read();
  await vi.advanceTimersByTimeAsync(400_000);
  expect(await text).toBe('Hello');
});

test('a thousand tokens arm no more timers than one', async () => {
  using timers = countTimers();
  const models = poolOf(scriptedProvider({ chat: () => says(...Array<string>(1_000).fill('x')) }));
  expect(await textOf(models.chat(ask(), callerOf()))).toHaveLength(1_000);
  // The total deadline, the first token's, and one for all silences.
  expect(timers.count).toBe(3);
  expect(vi.getTimerCount()).toBe(0);
});

test('the caller’s own shorter deadline ends a call as TOTAL', async () => {
  const provider = scriptedProvider({
    complete: (_, signal) => aborted(signal),
    embed: (_, signal) => aborted(signal),
    chat: (_, signal) => stalls(signal, 'Hello'),
  });
  const models = poolOf(provider);
  const failures = [
    failureOf(models.complete(ask(), callerOf('acme', 500))),
    failureOf(models.embed('embedder', 'text', callerOf('acme', 500))),
    failureOf(textOf(models.chat(ask(), callerOf('acme', 500)))),
  ];
  await vi.advanceTimersByTimeAsync(510);
  for (const failure of await Promise.all(failures)) {
    expect(failure).toMatchObject({ code: 'UPSTREAM_TIMEOUT', retryable: true, details: { phase: 'TOTAL' } });
  }
  await settle();
  for (const calls of [provider.chats, provider.completions, provider.embeds]) expect(calls[0]?.over).toBe(true);
});

test('complete and embed end at the total deadline of the configuration', async () => {
  const provider = scriptedProvider({
    complete: (_, signal) => aborted(signal),
    embed: (_, signal) => aborted(signal),
  });
  const models = poolOf(provider, { timeouts: { totalMs: 5_000 } });
  const failures = [models.complete(ask(), callerOf()), models.embed('embedder', 'text', callerOf())].map(failureOf);
  await new Promise((resolve) => setImmediate(resolve));
  await vi.advanceTimersByTimeAsync(5_100);
  for (const failure of await Promise.all(failures)) {
    expect(failure).toMatchObject({ code: 'UPSTREAM_TIMEOUT', details: { phase: 'TOTAL' } });
  }
});

test('a provider that ignores its signal holds nobody', async () => {
  const provider = scriptedProvider({
    async *chat() {
      await new Promise(() => undefined);
    },
    complete: () => new Promise(() => undefined),
  });
  const models = poolOf(provider, { retries: 0 });
  const failures = [failureOf(textOf(models.chat(ask(), callerOf()))), failureOf(models.complete(ask(), callerOf()))];
  await vi.advanceTimersByTimeAsync(600_100);
  expect(await failures[0]).toMatchObject({ details: { phase: 'FIRST_TOKEN' } });
  expect(await failures[1]).toMatchObject({ details: { phase: 'TOTAL' } });
});

test('the caller’s abort surfaces as CANCELLED, before the call, before the first token, and mid-stream', async () => {
  const provider = scriptedProvider({ chat: (_, signal, call) => stalls(signal, ...(call === 1 ? [] : ['Hello'])) });
  const models = poolOf(provider);
  const early = callerOf();
  early.abort();
  expect(await failureOf(textOf(models.chat(ask(), early)))).toMatchObject({ code: 'CANCELLED' });
  expect(provider.chats).toHaveLength(0);
  for (const call of [0, 1]) {
    const caller = callerOf();
    const failure = failureOf(textOf(models.chat(ask(), caller)));
    await settle();
    caller.abort(new Error('the user left'));
    const expected = { code: 'CANCELLED', retryable: false, cause: { message: 'the user left' } };
    expect(await failure).toMatchObject(expected);
    expect(provider.chats[call]?.signal.reason).toMatchObject(expected);
    await settle();
    expect(provider.chats[call]?.over).toBe(true);
  }
  expect(provider.chats).toHaveLength(2);
  expect(vi.getTimerCount()).toBe(0);
});

test('leaving the loop ends the provider call', async () => {
  const provider = scriptedProvider({ chat: (_, signal) => stalls(signal, 'Hel', 'lo') });
  for await (const _ of poolOf(provider).chat(ask(), callerOf())) break;
  await settle();
  expect(provider.chats[0]?.over).toBe(true);
  expect(provider.chats[0]?.signal.aborted).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test('a stream that ends without a finish is a failure, before its first chunk one that is tried again', async () => {
  const provider = scriptedProvider({
    async *chat(_request, _signal, call) {
      if (call === 3) yield { type: 'text', delta: 'Hel' };
    },
  });
  const models = poolOf(provider);
  const failure = failureOf(textOf(models.chat(ask(), callerOf())));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await failure).toMatchObject({
    code: 'UPSTREAM_UNAVAILABLE',
    message: expect.stringContaining('without a finish'),
  });
  expect(provider.chats).toHaveLength(3);
});
