import { hash } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../../adapters/postgres/database.ts';
import { postgresEmbeddingStore } from '../../../adapters/postgres/embedding-store.ts';
import type { EmbeddingKey, EmbeddingStore } from '../../../core/contracts/embedding-store.ts';
import { openTestDatabase } from '../../helpers/test-database.ts';

const dayMs = 86_400_000;
const { signal } = new AbortController();
let database: Database & AsyncDisposable;
let store: EmbeddingStore;

beforeAll(async () => {
  database = await openTestDatabase();
  store = postgresEmbeddingStore(database);
});
afterAll(() => database[Symbol.asyncDispose]());
beforeEach(async () => {
  await database.query('clear', sql`delete from embedding_cache`);
});

const keyOf = (text: string, more: Partial<EmbeddingKey> = {}): EmbeddingKey => ({
  tenant: 'acme',
  model: 'vendor/embedder',
  dimensions: 0,
  hash: hash('sha256', text, 'base64'),
  ...more,
});
const vector = Float32Array.from({ length: 1_536 }, (_, index) => Math.sin(index) / 40);
const save = (...keys: EmbeddingKey[]) => store.save(keys.map((key) => ({ ...key, vector, tokens: 7 })));
const isThere = async (...keys: EmbeddingKey[]) => (await store.find(keys, signal)).map((found) => found !== null);
const usedDaysAgo = (days: number, { hash }: EmbeddingKey) =>
  database.query(
    'age',
    sql`update embedding_cache set last_used = clock_timestamp() - ${days}::int * interval '1 day'
      where encode(hash, 'base64') = ${hash}`,
  );

test('gives every bit of a vector again, in the order of the keys, with one statement', async () => {
  await store.save([
    { ...keyOf('a'), vector, tokens: 3 },
    { ...keyOf('b'), vector: Float32Array.of(1, -0, Number.MIN_VALUE, 3.4e38), tokens: 4 },
  ]);
  const before = database.statements.get('find-embeddings') ?? 0;
  const found = await store.find([keyOf('b'), keyOf('none'), keyOf('a'), keyOf('b')], signal);
  expect((database.statements.get('find-embeddings') ?? 0) - before).toBe(1);
  expect(found[1]).toBeNull();
  expect(found[2]).toEqual({ vector, tokens: 3 });
  expect(found[0]).toEqual({ vector: Float32Array.of(1, -0, Number.MIN_VALUE, 3.4e38), tokens: 4 });
  expect(found[3]).toEqual(found[0]);
});

test('a vector is one tenant’s, and of one model, length and text', async () => {
  await save(keyOf('a'));
  const others = [{ tenant: 'globex' }, { tenant: '' }, { model: 'other/embedder' }, { dimensions: 256 }];
  expect(await isThere(keyOf('a'), ...others.map((other) => keyOf('a', other)), keyOf('A'))).toEqual([
    true,
    ...others.map(() => false),
    false,
  ]);
});

test('what is saved twice, also at the same time, stays as it was', async () => {
  await Promise.all([save(keyOf('a'), keyOf('b'), keyOf('a')), save(keyOf('b'), keyOf('a'))]);
  await store.save([{ ...keyOf('a'), vector: Float32Array.of(1), tokens: 1 }]);
  const [found] = await store.find([keyOf('a')], signal);
  expect(found?.vector).toEqual(vector);
});

test('what nobody used for long goes, and beyond the bound what was not used the longest', async () => {
  const keys = ['a', 'b', 'c', 'd'].map((text) => keyOf(text));
  await save(...keys);
  for (const [index, key] of keys.entries()) await usedDaysAgo(index * 10, key);
  expect(await store.purge({ unusedForMs: 25 * dayMs, keep: 100 })).toBe(1);
  expect(await isThere(...keys)).toEqual([true, true, true, false]);
  expect(await store.purge({ unusedForMs: 25 * dayMs, keep: 1 })).toBe(2);
  expect(await isThere(...keys)).toEqual([true, false, false, false]);
  expect(await store.purge({ unusedForMs: 25 * dayMs, keep: 1 })).toBe(0);
});

test('what is used stays', async () => {
  const [old, used] = [keyOf('old'), keyOf('used')];
  await save(old, used);
  for (const key of [old, used]) await usedDaysAgo(40, key);
  await store.touch([used, keyOf('none')]);
  expect(await store.purge({ unusedForMs: 30 * dayMs, keep: 100 })).toBe(1);
  expect(await isThere(old, used)).toEqual([false, true]);
});
