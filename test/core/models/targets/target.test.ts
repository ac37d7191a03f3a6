import { afterEach, expect, test, vi } from 'vitest';
import { GatewayError } from '../../../../core/contracts/gateway-error.ts';
import type { PoolChunk } from '../../../../core/models/models.ts';
import {
  aborted,
  breaks,
  rejected,
  says,
  scriptedProvider,
  stalls,
  unavailable,
} from '../../../helpers/scripted-provider.ts';
import { ask, callerOf, failureOf, poolOf, textOf } from '../pool.ts';

afterEach(() => {
  vi.useRealTimers();
});

const fakeTime = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });

function rateLimited(retryAfterMs: number): GatewayError {
  return new GatewayError('RATE_LIMITED', 'scripted: 429', { retryable: true, details: { retryAfterMs } });
}

test('a call that fails twice for the moment succeeds at the third attempt', async () => {
  const provider = scriptedProvider({ chat: (_, _signal, call) => (call < 3 ? breaks(unavailable()) : says('Hello')) });
  expect(await textOf(poolOf(provider).chat(ask(), callerOf()))).toBe('Hello');
  expect(provider.chats).toHaveLength(3);
});

test('the error after the last retry says how many attempts were made', async () => {
  const provider = scriptedProvider({
    chat: () => breaks(unavailable()),
    complete: () => Promise.reject(unavailable()),
  });
  const models = poolOf(provider);
  const expected = { code: 'UPSTREAM_UNAVAILABLE', retryable: true, details: { attempts: 3 } };
  expect(await failureOf(textOf(models.chat(ask(), callerOf())))).toMatchObject(expected);
  expect(await failureOf(models.complete(ask(), callerOf()))).toMatchObject(expected);
  expect(provider.chats).toHaveLength(3);
  expect(provider.completions).toHaveLength(3);
});

test('what is not retryable, and what is not a GatewayError, is not tried again', async () => {
  const bug = new TypeError('a fault of ours');
  const provider = scriptedProvider({ chat: (_, _signal, call) => breaks(call === 1 ? rejected() : bug) });
  const models = poolOf(provider);
  expect(await failureOf(textOf(models.chat(ask(), callerOf())))).toMatchObject({ code: 'UPSTREAM_REJECTED' });
  expect(await failureOf(textOf(models.chat(ask(), callerOf())))).toBe(bug);
  expect(provider.chats).toHaveLength(2);
});

test('after the first chunk a failure is thrown as it is, and nothing is tried again', async () => {
  const failure = unavailable();
  const provider = scriptedProvider({ chat: () => breaks(failure, 'Hel') });
  const seen: PoolChunk[] = [];
  const read = async () => {
    for await (const chunk of poolOf(provider).chat(ask(), callerOf())) seen.push(chunk);
  };
  expect(await failureOf(read())).toBe(failure);
  expect(seen).toEqual([
    { type: 'model', name: 'talker', provider: 'scripted' },
    { type: 'text', delta: 'Hel' },
  ]);
  expect(provider.chats).toHaveLength(1);
});

test('a Retry-After that fits the deadline is waited for', async () => {
  fakeTime();
  const provider = scriptedProvider({
    chat: (_, _s, call) => (call === 1 ? breaks(rateLimited(5_000)) : says('Hello')),
  });
  const text = textOf(poolOf(provider).chat(ask(), callerOf()));
  await vi.advanceTimersByTimeAsync(4_900);
  expect(provider.chats).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(200);
  expect(await text).toBe('Hello');
});

test('a Retry-After beyond the deadline fails at once, and tells the client', async () => {
  const provider = scriptedProvider({ chat: () => breaks(rateLimited(5_000)) });
  const models = poolOf(provider);
  const failure = await failureOf(textOf(models.chat(ask(), callerOf('acme', 2_000))));
  expect(failure).toMatchObject({
    code: 'RATE_LIMITED',
    retryable: true,
    details: { retryAfterMs: 5_000, attempts: 1 },
  });
  expect(provider.chats).toHaveLength(1);
});

test('a backoff ends as soon as its caller leaves', async () => {
  const provider = scriptedProvider({ chat: () => breaks(rateLimited(50_000)) });
  const caller = callerOf();
  const failure = failureOf(textOf(poolOf(provider).chat(ask(), caller)));
  await vi.waitUntil(() => provider.chats[0]?.over === true);
  caller.abort();
  expect(await failure).toMatchObject({ code: 'CANCELLED' });
  expect(provider.chats).toHaveLength(1);
});

test('calls overlap up to maxConcurrent, and the next begins when one ends', async () => {
  const provider = scriptedProvider({ complete: (_, signal) => aborted(signal) });
  const models = poolOf(provider, { limits: { maxConcurrent: 3, maxQueued: 10 } });
  const callers = Array.from({ length: 5 }, () => callerOf());
  const failures = callers.map((caller) => failureOf(models.complete(ask(), caller)));
  await vi.waitUntil(() => provider.completions.length === 3);
  expect(provider.peak).toBe(3);
  callers[0]?.abort();
  await vi.waitUntil(() => provider.completions.length === 4);
  expect(provider.completions.filter(({ over }) => !over)).toHaveLength(3);
  for (const caller of callers) caller.abort();
  await Promise.all(failures);
  expect(provider.peak).toBe(3);
});

test('a stream holds its slot to its end', async () => {
  const provider = scriptedProvider({
    chat: (_, signal, call) => (call === 1 ? stalls(signal, 'Hello') : says('next')),
  });
  const models = poolOf(provider, { limits: { maxConcurrent: 1, maxQueued: 10 } });
  const first = models.chat(ask(), callerOf())[Symbol.asyncIterator]();
  await first.next();
  const second = textOf(models.chat(ask(), callerOf()));
  await new Promise((resolve) => setImmediate(resolve));
  expect(provider.chats).toHaveLength(1);
  await first.return?.();
  expect(await second).toBe('next');
});

test('a full queue refuses at once and names its limits; who leaves the queue makes room', async () => {
  const provider = scriptedProvider({ complete: (_, signal) => aborted(signal) });
  const models = poolOf(provider, { limits: { maxConcurrent: 1, maxQueued: 2 } });
  const callers = [callerOf(), callerOf(), callerOf()];
  const [running, leaving, ...rest] = callers.map((caller) => failureOf(models.complete(ask(), caller)));
  await vi.waitUntil(() => provider.completions.length === 1);
  expect(await failureOf(models.complete(ask(), callerOf()))).toMatchObject({
    code: 'RATE_LIMITED',
    retryable: true,
    details: { limit: 2, attempts: 0, retryAfterMs: expect.any(Number) },
    message: 'talker (scripted) takes 1 calls at once (maxConcurrent) and lets 2 wait (maxQueued): all are taken',
  });
  callers[1]?.abort();
  expect(await leaving).toMatchObject({ code: 'CANCELLED' });
  const replacing = callerOf();
  const replacement = failureOf(models.complete(ask(), replacing));
  await new Promise((resolve) => setImmediate(resolve));
  for (const caller of [...callers, replacing]) caller.abort();
  expect(await replacement).toMatchObject({ code: 'CANCELLED' });
  await Promise.all([running, ...rest]);
  expect(provider.completions).toHaveLength(1);
});

test('a waiter in the queue waits no longer than its own deadline', async () => {
  const provider = scriptedProvider({ complete: (_, signal) => aborted(signal) });
  const models = poolOf(provider, { limits: { maxConcurrent: 1, maxQueued: 2 } });
  const holder = callerOf();
  const held = failureOf(models.complete(ask(), holder));
  const failure = await failureOf(models.complete(ask(), callerOf('acme', 30)));
  expect(failure).toMatchObject({ code: 'UPSTREAM_TIMEOUT', details: { phase: 'TOTAL' } });
  expect(provider.completions).toHaveLength(1);
  holder.abort();
  await held;
});

test('the circuit opens after repeated outages, refuses at once, lets one trial through, and closes when it succeeds', async () => {
  fakeTime();
  let down = true;
  const provider = scriptedProvider({ chat: () => (down ? breaks(unavailable()) : says('Hello')) });
  const models = poolOf(provider, { retries: 0, circuit: { calls: 10, minimumCalls: 4, openMs: 10_000 } });
  const circuit = async () => (await models.list(callerOf().signal))[0]?.health.circuit;
  for (let call = 1; call <= 4; call += 1) await failureOf(textOf(models.chat(ask(), callerOf())));
  expect(await circuit()).toBe('OPEN');
  const refused = await failureOf(textOf(models.chat(ask(), callerOf())));
  expect(refused).toMatchObject({
    code: 'UPSTREAM_UNAVAILABLE',
    retryable: true,
    details: { attempts: 0, retryAfterMs: 10_000 },
    message: expect.stringContaining(new Date(Date.now() + 10_000).toISOString()),
  });
  expect(provider.chats).toHaveLength(4);

  await vi.advanceTimersByTimeAsync(10_000);
  expect(await circuit()).toBe('HALF_OPEN');
  await failureOf(textOf(models.chat(ask(), callerOf())));
  expect(provider.chats).toHaveLength(5);
  expect(await circuit()).toBe('OPEN');

  await vi.advanceTimersByTimeAsync(10_000);
  down = false;
  expect(await textOf(models.chat(ask(), callerOf()))).toBe('Hello');
  expect(await circuit()).toBe('CLOSED');
});

test('while a trial is under way others are refused at once, and a cancelled trial proves nothing', async () => {
  fakeTime();
  const provider = scriptedProvider({
    complete: (_, signal, call) => (call <= 2 ? Promise.reject(unavailable()) : aborted(signal)),
  });
  const models = poolOf(provider, { retries: 0, circuit: { calls: 2, minimumCalls: 2, openMs: 1_000 } });
  for (let call = 1; call <= 2; call += 1) await failureOf(models.complete(ask(), callerOf()));
  await vi.advanceTimersByTimeAsync(1_000);
  const caller = callerOf();
  const trial = failureOf(models.complete(ask(), caller));
  await vi.advanceTimersByTimeAsync(0);
  expect(provider.completions).toHaveLength(3);
  expect(await failureOf(models.complete(ask(), callerOf()))).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
  caller.abort();
  expect(await trial).toMatchObject({ code: 'CANCELLED' });
  expect((await models.list(callerOf().signal))[0]?.health.circuit).toBe('OPEN');
});

test.for([
  ['refused input', rejected()],
  ['rate limits', rateLimited(1)],
])('%s do not open the circuit', async ([, failure]) => {
  const provider = scriptedProvider({ complete: () => Promise.reject(failure) });
  const models = poolOf(provider, { retries: 0, circuit: { calls: 2, minimumCalls: 2 } });
  for (let call = 1; call <= 5; call += 1) await failureOf(models.complete(ask(), callerOf()));
  expect(provider.completions).toHaveLength(5);
});

test('streams that break after their first chunk open the circuit too', async () => {
  const provider = scriptedProvider({ chat: () => breaks(unavailable(), 'Hel') });
  const models = poolOf(provider, { circuit: { calls: 10, minimumCalls: 4, failureRate: 0.4 } });
  for (let call = 1; call <= 2; call += 1) await failureOf(textOf(models.chat(ask(), callerOf())));
  expect((await models.list(callerOf().signal))[0]?.health).toMatchObject({
    circuit: 'OPEN',
    errorRate: 1,
    callsLastMinute: 2,
  });
});

test('health shows calls, errors and latencies of the last minute, and what runs and waits now', async () => {
  fakeTime();
  const provider = scriptedProvider({
    async *chat(_request, signal, call) {
      if (call === 5) throw rejected();
      if (call === 4) throw unavailable();
      await new Promise((resolve) => setTimeout(resolve, call * 100));
      if (call === 6) yield* stalls(signal, 'Hello');
      yield* says('Hello');
    },
  });
  const models = poolOf(provider, { retries: 0, limits: { maxConcurrent: 1 } });
  const health = async () => (await models.list(callerOf().signal))[0]?.health;
  const idle = {
    circuit: 'CLOSED',
    inFlight: 0,
    queued: 0,
    p50Ms: null,
    p95Ms: null,
    errorRate: 0,
    callsLastMinute: 0,
  };
  expect(await health()).toEqual(idle);
  for (let call = 1; call <= 5; call += 1) {
    const done = textOf(models.chat(ask(), callerOf())).catch(() => undefined);
    await vi.advanceTimersByTimeAsync(500);
    await done;
  }
  expect(await health()).toEqual({ ...idle, p50Ms: 200, p95Ms: 300, errorRate: 0.2, callsLastMinute: 5 });
  const caller = callerOf();
  const ends = [1, 2].map(() => failureOf(textOf(models.chat(ask(), caller))));
  await vi.advanceTimersByTimeAsync(0);
  expect(await health()).toMatchObject({ inFlight: 1, queued: 1 });
  caller.abort();
  await Promise.all(ends);
  await vi.advanceTimersByTimeAsync(61_000);
  expect(await health()).toEqual(idle);
});
