import { expect, test, vi } from 'vitest';
import type { EmbeddingKey, EmbeddingStore, StoredEmbedding } from '../../../../core/contracts/embedding-store.ts';
import type { ModelsOptions } from '../../../../core/models/models-options.ts';
import { noUsage } from '../../../../core/models/usage/usage-meter.ts';
import { processorWait } from '../../../helpers/processor-wait.ts';
import { type Script, scriptedProvider, vectorOf } from '../../../helpers/scripted-provider.ts';
import { callerOf, poolOf } from '../pool.ts';

/** A store that remembers what was asked of it; its twin in PostgreSQL has its own tests. */
function memoryStore(find?: EmbeddingStore['find']) {
  const rows = new Map<string, StoredEmbedding>();
  const nameOf = ({ tenant, model, dimensions, hash }: EmbeddingKey) => [tenant, model, dimensions, hash].join(' ');
  const store = {
    find: vi.fn(find ?? (async (keys: readonly EmbeddingKey[]) => keys.map((key) => rows.get(nameOf(key)) ?? null))),
    save: vi.fn(async (entries: readonly (EmbeddingKey & StoredEmbedding)[]) => {
      for (const { vector, tokens, ...key } of entries) rows.set(nameOf(key), { vector, tokens });
    }),
    touch: vi.fn(async () => {}),
    purge: vi.fn(async () => 0),
  };
  return { store, rows };
}

/** A pool as it is after a start: nothing in memory. */
function started(store: EmbeddingStore, script: Script = {}, options: Omit<ModelsOptions, 'providers'> = {}) {
  const provider = scriptedProvider(script);
  const cache = vi.fn();
  const observer = { queued() {}, ended() {}, retrying() {}, fellBack() {}, circuit() {}, spent() {}, cache };
  return { provider, cache, models: poolOf(provider, { embeddingStore: store, observer, ...options }) };
}

const texts = (count: number) => Array.from({ length: count }, (_, index) => `text ${index}`);

test('a vector that was paid for before the last start is not paid for again', async () => {
  const { store } = memoryStore();
  const before = started(store);
  await Promise.all(texts(20).map((text) => before.models.embed('embedder', text, callerOf())));
  expect(before.provider.embeds).toHaveLength(1);
  await before.models.close();
  expect(store.save).toHaveBeenCalledTimes(1);

  const { provider, models, cache } = started(store);
  const caller = callerOf();
  store.find.mockClear();
  const found = await Promise.all(texts(20).map((text) => models.embed('embedder', text, caller)));
  expect(store.find).toHaveBeenCalledTimes(1);
  expect(provider.embeds).toHaveLength(0);
  expect(found.map(({ vector }) => vector)).toEqual(texts(20).map(vectorOf));
  expect(caller.meter.usage).toEqual(noUsage);
  expect(cache.mock.calls.filter(([kind, , isHit]) => kind === 'embedding-database' && isHit)).toHaveLength(20);
  await models.embed('embedder', 'text 3', caller);
  expect(store.find, 'it is in memory now').toHaveBeenCalledTimes(1);
  await models.close();
  expect(store.touch).toHaveBeenCalledTimes(1);
});

test('what the database does not know is one call with the rest, and another tenant’s is not known', async () => {
  const { store } = memoryStore();
  const before = started(store);
  await Promise.all(texts(5).map((text) => before.models.embed('embedder', text, callerOf())));
  await before.models.close();
  const { provider, models } = started(store);
  await Promise.all([
    ...texts(10).map((text) => models.embed('embedder', text, callerOf())),
    models.embed('embedder', 'text 0', callerOf('globex')),
  ]);
  expect(provider.embeds.flatMap(({ request }) => request.texts).sort()).toEqual(
    [...texts(10).slice(5), 'text 0'].sort(),
  );
});

test('a database that fails, or does not answer, costs a moment once, and no answer', async () => {
  for (const find of [() => Promise.reject(new Error('away')), () => new Promise<never>(() => {})]) {
    const { store } = memoryStore(find);
    store.save.mockRejectedValue(new Error('away'));
    const { provider, models } = started(store);
    const [begun, waitedMs] = [performance.now(), processorWait()];
    for (const text of texts(10)) await models.embed('embedder', text, callerOf());
    expect(performance.now() - begun - waitedMs()).toBeLessThan(1_000);
    expect(provider.embeds).toHaveLength(10);
    await models.close();
  }
});

test('what is computed in this process is not looked for in the database, nor is anything when it is off', async () => {
  const { store } = memoryStore();
  const pools = [started(store, { generative: false }), started(store, {}, { embeddings: { maxStored: 0 } })];
  for (const { models } of pools) {
    await models.embed('embedder', 'text', callerOf());
    await models.close();
  }
  expect([store.find, store.save].map(({ mock }) => mock.calls)).toEqual([[], []]);
});

test('a caller that leaves during the look makes no call', async () => {
  const { promise, resolve } = Promise.withResolvers<null[]>();
  const { store } = memoryStore(() => promise);
  const { provider, models } = started(store);
  const caller = callerOf();
  const asked = models.embed('embedder', 'text', caller);
  await vi.waitFor(() => expect(store.find).toHaveBeenCalled());
  caller.abort();
  resolve([null]);
  await expect(asked).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(provider.embeds).toHaveLength(0);
});

test('a look that is answered after the call which another one led to makes no second call', async () => {
  const [one, other] = [Promise.withResolvers<null[]>(), Promise.withResolvers<null[]>()];
  const answers = [one.promise, other.promise];
  // Looked at every millisecond: a look that takes 50 is given up.
  const { store } = memoryStore(() => answers.shift() ?? Promise.resolve([null]));
  const { provider, models } = started(store);
  const first = models.embed('embedder', 'text', callerOf());
  await vi.waitFor(() => expect(store.find).toHaveBeenCalledTimes(1), { interval: 1 });
  const second = models.embed('embedder', 'text', callerOf());
  await vi.waitFor(() => expect(store.find).toHaveBeenCalledTimes(2), { interval: 1 });
  one.resolve([null]);
  await first;
  other.resolve([null]);
  expect((await second).vector).toEqual(vectorOf('text'));
  expect(provider.embeds).toHaveLength(1);
});
