import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { EmbeddingPool } from '../../../adapters/local/embedding-pool.ts';

const never = new AbortController().signal;

/** A real thread without a model: the vector is the number of the text among those that it was given. */
const script = `
const { parentPort } = require('node:worker_threads');
let count = 0;
parentPort.on('message', (text) => {
  if (text === 'crash') throw new Error('out of memory');
  if (text === 'exit') process.exit(3);
  count += 1;
  const vector = Float32Array.of(count);
  setTimeout(() => parentPort.postMessage({ type: 'vector', vector }), 2);
});
parentPort.postMessage({ type: 'ready' });`;

function poolOf(options: { workers?: number; scripts?: string[] } = {}) {
  const spawned: Worker[] = [];
  const pool = new EmbeddingPool({
    workers: options.workers ?? 1,
    spawn: () => {
      const worker = new Worker(options.scripts?.shift() ?? script, { eval: true });
      spawned.push(worker);
      return worker;
    },
  });
  onTestFinished(() => pool.close());
  return { pool, spawned };
}

test('a short call does not wait for the end of a long one', async () => {
  const { pool } = poolOf();
  await pool.ready;
  const order: string[] = [];
  const long = pool
    .embed(
      Array.from({ length: 24 }, (_, index) => `passage ${index}`),
      never,
    )
    .then((vectors) => {
      order.push('long');
      return vectors.map(([turn]) => turn);
    });
  const [query] = await pool.embed(['query'], never);
  order.push('query');
  const turns = await long;
  expect(order).toEqual(['query', 'long']);
  expect(query?.[0]).toBeLessThanOrEqual(3);
  expect(turns).toHaveLength(24);
  expect(turns.toSorted((left, right) => Number(left) - Number(right))).toEqual(turns);
});

test('open calls take turns, text by text', async () => {
  const { pool } = poolOf();
  await pool.ready;
  const first = pool.embed(['before them'], never);
  const calls = ['a', 'b', 'c'].map((name) => pool.embed([`${name}1`, `${name}2`, `${name}3`], never));
  const turns = (await Promise.all(calls)).map((vectors) => vectors.map(([turn]) => turn));
  await first;
  expect(turns).toEqual([
    [2, 5, 8],
    [3, 6, 9],
    [4, 7, 10],
  ]);
});

test('all short texts of a call go before the next long ones of others, and those are not passed over for ever', async () => {
  const { pool } = poolOf();
  await pool.ready;
  const passage = 'a passage of an ingest '.repeat(40);
  const ingests = [1, 2, 3].map(() => pool.embed([passage, passage, passage], never));
  const queries = Array.from({ length: 20 }, (_, index) => `query ${index}`);
  const turns = (await pool.embed(queries, never)).map(([turn]) => Number(turn));
  // One passage is being embedded when they come.
  expect(turns).toEqual(queries.map((_, index) => index + 2));
  let passagesDone = false;
  const ingested = Promise.all(ingests).then(() => {
    passagesDone = true;
  });
  // Two who ask: one text of theirs always waits.
  const ask = async () => {
    for (let asked = 0; !passagesDone && asked < 1_000; asked += 1) await pool.embed(['a query after a query'], never);
  };
  await Promise.all([ask(), ask()]);
  expect(passagesDone).toBe(true);
  await ingested;
});

test('an aborted call stops at once and gives its turns to others', async () => {
  const { pool } = poolOf();
  await pool.ready;
  const controller = new AbortController();
  const long = pool.embed(
    Array.from({ length: 50 }, () => 'text'),
    controller.signal,
  );
  const reason = new Error('left');
  controller.abort(reason);
  await expect(long).rejects.toMatchObject({ code: 'CANCELLED', cause: reason });
  const [next] = await pool.embed(['text'], never);
  expect(next?.[0]).toBe(2);
  await expect(pool.embed(['text'], AbortSignal.abort(reason))).rejects.toMatchObject({ code: 'CANCELLED' });
});

test.each(['crash', 'exit'])(
  'when a thread ends by a %s, its call fails as retryable and the next one is served',
  async (end) => {
    const { pool, spawned } = poolOf();
    await pool.ready;
    const failing = pool.embed(['text', end, 'text'], never);
    const waiting = pool.embed(['text', 'text', 'text'], never);
    await expect(failing).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true });
    expect(await waiting).toHaveLength(3);
    expect(spawned).toHaveLength(2);
  },
);

test('when no thread can start, all calls fail, and the next call tries again', async () => {
  const { pool, spawned } = poolOf({
    workers: 2,
    scripts: ['throw new Error("no model")', 'throw new Error("no model")'],
  });
  const outcomes = await Promise.allSettled([pool.embed(['a'], never), pool.embed(['b'], never)]);
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({
      status: 'rejected',
      reason: { code: 'UPSTREAM_UNAVAILABLE', message: expect.stringContaining('no model') },
    });
  }
  await expect(pool.ready).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
  expect(spawned).toHaveLength(2);
  expect(await pool.embed(['c'], never)).toHaveLength(1);
  expect(spawned).toHaveLength(4);
});

test('closing ends the threads and every call', async () => {
  const { pool, spawned } = poolOf({ workers: 2 });
  await pool.ready;
  const calls = [pool.embed(['a', 'b', 'c', 'd'], never), pool.embed(['a'], never), pool.embed(['a', 'b'], never)];
  const exits = spawned.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
  const outcomes = Promise.allSettled(calls);
  await pool.close();
  for (const outcome of await outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'CANCELLED' } });
  }
  await Promise.all(exits);
  await expect(pool.embed(['a'], never)).rejects.toMatchObject({ code: 'CANCELLED' });
});

test('a model that may never be asked is started by its first call', async () => {
  const spawned: Worker[] = [];
  const pool = new EmbeddingPool({
    workers: 2,
    load: 'at-first-call',
    spawn: () => {
      const worker = new Worker(script, { eval: true });
      spawned.push(worker);
      return worker;
    },
  });
  onTestFinished(() => pool.close());
  expect(spawned).toHaveLength(0);
  expect(pool.isLoading).toBe(false);
  const first = pool.embed(['a'], never);
  expect(pool.isLoading).toBe(true);
  expect(await first).toHaveLength(1);
  expect(spawned).toHaveLength(2);
});
