import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../../adapters/postgres/database.ts';
import type { Clock } from '../../../core/contracts/clock.ts';
import type { RunEvent } from '../../../core/contracts/run-event.ts';
import { followRun } from '../../../core/runs/follow-run.ts';
import type { Executor } from '../../../core/runs/live-run.ts';
import { emptyDatabase, openTestDatabase } from '../../helpers/test-database.ts';
import { type Cluster, type Instance, openCluster } from './instances.ts';
import { collected, keyOf, startOf, timerClock, untilStopped } from './rig.ts';

let database: Database & AsyncDisposable;
let cluster: Cluster;
beforeAll(async () => {
  database = await openTestDatabase();
});
beforeEach(async () => {
  await emptyDatabase(database);
  cluster = await openCluster(database);
});
afterEach(() => cluster[Symbol.asyncDispose]());
afterAll(() => database[Symbol.asyncDispose]());

const never = new AbortController().signal;
const say = (delta: string): RunEvent => ({ type: 'TextMessageDelta', messageId: 'm', delta });
/** Says its words as a chat does, one by one while `next` lets it, and keeps no promise to stop. */
const talks =
  (name: string, next: () => Promise<void> = async () => {}): Executor =>
  async ({ begun, emit, signal }) => {
    if (begun.messages.has('m')) emit({ type: 'TextMessageReset', messageId: 'm', reason: 'again' });
    else emit({ type: 'TextMessageStarted', messageId: 'm' });
    for (const word of ['one', 'two', 'three']) {
      emit(say(`${name} ${word} `));
      await next();
      if (signal.aborted) emit(say('and yet it speaks '));
    }
    emit({ type: 'TextMessageEnded', messageId: 'm', finishReason: 'STOP' });
    return {};
  };
const eventsOf = async (runId: string) => (await cluster.log.read(keyOf(runId), 0, 1_000)).events;
const textOf = (events: readonly { readonly event: RunEvent | { readonly type: 'StreamGap' } }[]): string =>
  events.reduce((text, { event }) => {
    if (event.type === 'TextMessageReset') return '';
    return event.type === 'TextMessageDelta' ? text + event.delta : text;
  }, '');
const finished = (instance: Instance, runId: string) => instance.runs.whenFinished(keyOf(runId), never);
/** A follower looks every few seconds whether its log is lost: here twenty times as often. */
const hasty: Clock = { ...timerClock, sleep: (ms, signal) => timerClock.sleep(ms / 20, signal) };
const followed = (instance: Instance, runId: string) =>
  collected(followRun({ runs: instance.runs, clock: hasty }, keyOf(runId), 0, never));

test('a run goes on elsewhere when its instance falls silent, and nothing of the old attempt comes after', async () => {
  const waking = Promise.withResolvers<void>();
  const a = await cluster.start({ executor: talks('a', () => waking.promise) });
  const b = await cluster.start({ executor: talks('b') });
  await startOf(a.runs, { runId: 'r' });
  const following = followed(b, 'r');
  await expect.poll(async () => textOf(await eventsOf('r'))).toBe('a one ');
  a.sleep();
  expect(await finished(b, 'r')).toMatchObject({ status: 'SUCCEEDED', attempt: 2 });
  const seen = await following;
  expect(textOf(seen)).toBe('b one b two b three ');
  expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, index) => index + 1));
  expect(seen.filter(({ event }) => event.type === 'RunStarted')).toHaveLength(1);
  expect(seen.at(-1)?.event.type).toBe('RunFinished');
  waking.resolve();
  a.wake();
  await expect.poll(() => a.runs.liveCount).toBe(0);
  expect(await eventsOf('r')).toHaveLength(seen.length);
  expect(a.refused.appends).toBeGreaterThan(0);
});

test('an instance that wakes after its lease lets go of what others took, and keeps the rest', async () => {
  const a = await cluster.start({ executor: (io) => untilStopped(io.signal) });
  await startOf(a.runs, { runId: 'r' });
  await startOf(a.runs, { runId: 'kept' });
  a.sleep();
  await new Promise((resolve) => setTimeout(resolve, 600));
  const { taken } = await cluster.store.takeOver('somebody', {
    abandoned: 'expired',
    limit: 1,
    maxLosses: 3,
    error: { code: 'INTERNAL', message: '', retryable: true, details: {} },
  });
  const [other] = taken;
  a.wake();
  await expect.poll(() => a.runs.liveCount).toBe(1);
  expect(a.runs.isLive(keyOf(other?.run.runId ?? ''))).toBe(false);
  expect((await eventsOf(other?.run.runId ?? '')).at(-1)?.event.type).toBe('RunStarted');
});

test('what is handed over at a drain goes on elsewhere, loses nothing, and its waiting caller hears of the end', async () => {
  const a = await cluster.start({ executor: (io) => untilStopped(io.signal) });
  await startOf(a.runs, { runId: 'r' });
  const waiting = finished(a, 'r');
  const b = await cluster.start({ executor: talks('b'), maxAttempts: 1 });
  await a.runs.drain(50);
  expect(await waiting).toMatchObject({ status: 'SUCCEEDED', attempt: 2 });
  expect(textOf(await followed(b, 'r'))).toBe('b one b two b three ');
  await expect(startOf(a.runs, { runId: 'new' })).rejects.toMatchObject({ retryable: true });
});

test('a run is cancelled from an instance that does not execute it', async () => {
  const a = await cluster.start({ executor: (io) => untilStopped(io.signal) });
  const b = await cluster.start({ executor: talks('b') });
  await startOf(a.runs, { runId: 'r' });
  expect(await b.runs.cancel(keyOf('r'), never)).toMatchObject({ status: 'CANCELLED', attempt: 1 });
  expect((await eventsOf('r')).at(-1)?.event.type).toBe('RunCancelled');
});

test('a run whose instance died before it heard of its cancel is not done again', async () => {
  const a = await cluster.start({ executor: (io) => untilStopped(io.signal) });
  await startOf(a.runs, { runId: 'r' });
  a.sleep();
  let executed = false;
  const b = await cluster.start({
    executor: async (io) => {
      executed = true;
      return await untilStopped(io.signal);
    },
  });
  expect(await b.runs.cancel(keyOf('r'), never)).toMatchObject({ status: 'CANCELLED', attempt: 2 });
  expect(executed).toBe(false);
});

test('a run that takes every instance with it has failed after so many, for its followers too', async () => {
  const hangs: Executor = (io) => untilStopped(io.signal);
  const a = await cluster.start({ executor: hangs });
  await startOf(a.runs, { runId: 'r' });
  await expect.poll(async () => (await eventsOf('r')).length).toBe(1);
  a.sleep();
  const b = await cluster.start({ executor: hangs, maxAttempts: 2 });
  await expect.poll(() => b.runs.liveCount, { timeout: 10_000 }).toBe(1);
  b.sleep();
  const c = await cluster.start({ executor: hangs, maxAttempts: 2 });
  const events = await followed(c, 'r');
  expect(events.at(-1)?.event).toMatchObject({
    type: 'RunFailed',
    error: { retryable: true, details: { attempts: 2 } },
  });
  expect(c.runs.liveCount).toBe(0);
});

test('an end that is saved and not in the log is told to those who follow', async () => {
  const a = await cluster.start({ executor: talks('a') });
  await startOf(a.runs, { runId: 'r', input: 'x' });
  await finished(a, 'r');
  // As if the instance had died between the two.
  const key = keyOf('cut off');
  await cluster.store.claim({ ...newest, ...key }, null, 'dead');
  await cluster.log.append(key, 1, [{ type: 'RunStarted', kind: 'CHAT' }, say('a whole answer')]);
  await cluster.store.update(key, 1, { status: 'SUCCEEDED', lastSeq: 3 });
  const events = await followed(a, 'cut off');
  expect(events.map(({ seq, event }) => `${seq} ${event.type}`)).toEqual([
    '1 RunStarted',
    '2 TextMessageDelta',
    '3 RunFinished',
  ]);
});

test('an end that is in the log and not saved is saved, and nothing is done again', async () => {
  const key = keyOf('told');
  await cluster.store.enter({ instance: 'dead', leaseMs: 1 }, { alone: false, others: 'unknown' });
  await cluster.store.claim({ ...newest, ...key }, null, 'dead');
  await cluster.store.update(key, 1, { status: 'RUNNING' });
  const usage = { inputTokens: 1, cachedInputTokens: 0, outputTokens: 2, calls: 1, costUsd: null, estimated: false };
  await cluster.log.append(key, 1, [
    { type: 'RunStarted', kind: 'CHAT' },
    { type: 'RunFailed', error: { code: 'INTERNAL', message: 'm', retryable: true, details: {} }, usage },
  ]);
  let executed = false;
  const a = await cluster.start({
    executor: async () => {
      executed = true;
      return {};
    },
  });
  expect(await finished(a, 'told')).toMatchObject({ status: 'FAILED', error: { message: 'm' }, usage, lastSeq: 2 });
  expect(executed).toBe(false);
  expect(await eventsOf('told')).toHaveLength(2);
});

const newest = {
  inputHash: 'x',
  keyId: null,
  input: 'x',
  whenUnwatched: 'FINISH',
  timeoutMs: null,
  user: null,
  metadata: {},
  detail: { kind: 'CHAT', conversationId: null, questionId: null, replyId: 'm' },
} as const;

test('what a dead instance leaves is shared by those that can execute it, instead of waiting at the first that looks', async () => {
  const waking = Promise.withResolvers<void>();
  const blocked = () => waking.promise;
  // On a busy machine one of the others falls silent for a lease, too, and a run goes over more than once.
  const maxAttempts = 100;
  const a = await cluster.start({ executor: talks('a', blocked), maxAttempts });
  const others = [
    await cluster.start({ executor: talks('b', blocked), maxAttempts, maxRuns: 12 }),
    await cluster.start({ executor: talks('c', blocked), maxAttempts, maxRuns: 12 }),
  ];
  const runIds = Array.from({ length: 24 }, (_, n) => `r${n}`);
  for (const runId of runIds) await startOf(a.runs, { runId });
  a.sleep();
  await expect.poll(() => others.reduce((sum, { runs }) => sum + runs.liveCount, 0)).toBe(24);
  for (const { runs } of others) expect(runs.liveCount).toBeGreaterThanOrEqual(6);
  waking.resolve();
  for (const runId of runIds)
    expect(await finished(others[0] as Instance, runId)).toMatchObject({ status: 'SUCCEEDED' });
  a.wake();
});
