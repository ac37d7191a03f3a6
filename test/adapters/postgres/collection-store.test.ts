import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../../adapters/postgres/database.ts';
import { aDocument, makeCollection, type RetrievalStores, retrievalStores } from '../../helpers/search-corpus.ts';
import { openTestDatabase } from '../../helpers/test-database.ts';

let database: Database & AsyncDisposable;
let stores: RetrievalStores;
beforeAll(async () => {
  database = await openTestDatabase();
  stores = retrievalStores(database);
});
afterAll(() => database[Symbol.asyncDispose]());

it('creates a collection that can be found by its name and its id', async () => {
  const created = await makeCollection(stores, 'finder', 'books', 384);
  expect(created).toMatchObject({ tenant: 'finder', name: 'books', embeddingModel: 'test-embedding', dimensions: 384 });
  expect(created.createdAt).toBeInstanceOf(Date);
  expect(await stores.collections.byNames('finder', ['books', 'none'])).toEqual([created]);
  expect(await stores.collections.byIds('finder', [created.id, randomUUID(), 'no id at all'])).toEqual([created]);
});

it('refuses a name that is taken, in the same tenant only', async () => {
  await makeCollection(stores, 'owner', 'same');
  await expect(makeCollection(stores, 'owner', 'same')).rejects.toMatchObject({
    code: 'CONFLICT',
    message: 'the collection same already exists',
  });
  await expect(makeCollection(stores, 'neighbour', 'same')).resolves.toMatchObject({ name: 'same' });
});

it('gives a collection another name, once, and none that is taken', async () => {
  const [{ id }] = [
    await makeCollection(stores, 'renamer', 'before'),
    await makeCollection(stores, 'renamer', 'taken'),
  ];
  expect(await stores.collections.rename('stranger', id, 'after')).toBe(false);
  expect(await stores.collections.rename('renamer', 'no id at all', 'after')).toBe(false);
  await expect(stores.collections.rename('renamer', id, 'taken')).rejects.toMatchObject({ code: 'CONFLICT' });
  expect(await stores.collections.rename('renamer', id, 'after')).toBe(true);
  expect(await stores.collections.byNames('renamer', ['before', 'after'])).toMatchObject([{ id, name: 'after' }]);
});

it.each([0, -1, 1.5, 16_001, Number.NaN])('refuses vectors of length %d', async (dimensions) => {
  await expect(makeCollection(stores, 'owner', `length ${dimensions}`, dimensions)).rejects.toMatchObject({
    code: 'BAD_INPUT',
    message: `dimensions: expected 1–16000, got ${dimensions}`,
  });
});

it('makes one index for each length of vector, up to the longest that this database has one for', async () => {
  await Promise.all(['a', 'b'].map((name) => makeCollection(stores, 'indexes', name, 7)));
  await makeCollection(stores, 'indexes', 'long', database.longestIndexedVector + 1);
  const indexes = await database.query<{ name: string }>(
    'indexes',
    sql`select indexname as name from pg_indexes where indexname like 'passage_vectors_nearest_%' order by 1`,
  );
  const names = indexes.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['passage_vectors_nearest_384', 'passage_vectors_nearest_1536']));
  expect(names.filter((name) => name.endsWith('_7'))).toHaveLength(1);
  expect(names).not.toContain(`passage_vectors_nearest_${database.longestIndexedVector + 1}`);
});

it('lists by name, page by page, each once', async () => {
  const names = ['Zebra', 'apple', 'Äpfel', 'banana', 'a b', "o'clock"];
  for (const name of names) await makeCollection(stores, 'lister', name);
  const seen: string[] = [];
  let after: readonly (string | number)[] | null = null;
  for (let pages = 0; pages < 10; pages += 1) {
    const slice = await stores.collections.list('lister', { first: 2, after });
    seen.push(...slice.items.map(({ item }) => item.name));
    after = slice.items.at(-1)?.key ?? null;
    if (!slice.hasNext) break;
  }
  expect(seen).toEqual([...names].sort());
});

it.each([[[]], [[1]], [['a', 'b']]])('refuses the key %j, which is none of its own', async (after) => {
  await expect(stores.collections.list('lister', { first: 1, after })).rejects.toMatchObject({ code: 'BAD_INPUT' });
});

it('counts documents and passages of many collections in one statement', async () => {
  const full = await makeCollection(stores, 'counter', 'full');
  const empty = await makeCollection(stores, 'counter', 'empty');
  await stores.documents.write('counter', full.id, [aDocument('1', ['one', 'two']), aDocument('2', ['three'])]);
  const before = database.statements.get('collections-counts') ?? 0;
  const counts = await stores.collections.counts('counter', [full.id, empty.id, randomUUID(), 'nonsense']);
  expect(database.statements.get('collections-counts')).toBe(before + 1);
  expect(counts).toEqual(
    new Map([
      [full.id, { documents: 2, passages: 3 }],
      [empty.id, { documents: 0, passages: 0 }],
    ]),
  );
});

it('deletes a collection with everything in it', async () => {
  const collection = await makeCollection(stores, 'deleter', 'doomed');
  const kept = await makeCollection(stores, 'deleter', 'kept');
  const documents = [aDocument('1', [['one', [1, 0, 0]], 'two']), aDocument('2', [])];
  await stores.documents.write('deleter', collection.id, documents);
  await stores.documents.write('deleter', kept.id, documents);
  expect(await stores.collections.delete('deleter', 'doomed')).toBe(2);
  expect(await stores.collections.delete('deleter', 'doomed')).toBeNull();
  for (const table of ['documents', 'passages', 'passage_words', 'passage_vectors', 'unembedded_passages']) {
    const [row] = await database.query<{ count: number }>(
      'rows',
      sql`select count(*)::int as count from ${sql.identifier(table)} where tenant = 'deleter'`,
    );
    expect({ table, count: row?.count }).toEqual({
      table,
      count: { documents: 2, passages: 2, passage_words: 2 }[table] ?? 1,
    });
  }
});
