import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../../adapters/postgres/database.ts';
import type { CollectionRecord } from '../../../core/contracts/collection-store.ts';
import type { DocumentRecord, PassageRecord } from '../../../core/contracts/document-store.ts';
import type { Page } from '../../../core/contracts/page.ts';
import {
  aDocument,
  aQuery,
  makeCollection,
  type RetrievalStores,
  retrievalStores,
} from '../../helpers/search-corpus.ts';
import { openTestDatabase } from '../../helpers/test-database.ts';

/*
 * Two tenants whose rows have the same names, the same external ids AND the same ids: whatever forgets the tenant in its
 * WHERE, or in a join, finds the other's row.
 */
const first: Page = { first: 100, after: null };
const everything = { op: 'all', filters: [] } as const;
const vector = Float32Array.of(1, 0, 0);
let database: Database & AsyncDisposable;
let stores: RetrievalStores;
let collection: CollectionRecord;
let documents: readonly DocumentRecord[];
let passages: readonly PassageRecord[];

beforeAll(async () => {
  database = await openTestDatabase();
  stores = retrievalStores(database);
  collection = await makeCollection(stores, 'mine', 'shared');
  await stores.documents.write('mine', collection.id, [
    aDocument('one', [['mine word one', [1, 0, 0]], 'mine word bare'], { title: 'mine' }),
    aDocument('two', [['mine word two', [0.9, 0.1, 0]]], { title: 'mine' }),
  ]);
  await copyTo('theirs', 'their');
  const [slice] = await stores.documents.listIn('mine', [collection.id], first, null);
  documents = slice?.items.map(({ item }) => item) ?? [];
  const lists = await stores.documents.passagesOf(
    'mine',
    documents.map(({ id }) => id),
    first,
  );
  passages = lists.flatMap(({ items }) => items.map(({ item }) => item));
  expect([documents.length, passages.length]).toEqual([2, 3]);
});
afterAll(() => database[Symbol.asyncDispose]());

/** The same rows for another tenant, ids and all; its texts and titles say whose they are. */
async function copyTo(tenant: string, marker: string): Promise<void> {
  await database.query(
    'copy',
    sql`insert into collections select ${tenant}, id, name, embedding_model, dimensions, created_at
    from collections where tenant = 'mine'`,
  );
  await database.query(
    'copy',
    sql`insert into documents select ${tenant}, id, collection_id, external_id, ${marker}, url,
    metadata, content_hash || ${marker}, created_at, updated_at from documents where tenant = 'mine'`,
  );
  await database.query(
    'copy',
    sql`insert into passages select ${tenant}, id, document_id, position,
    replace(text, 'mine', ${marker}) from passages where tenant = 'mine'`,
  );
  for (const table of ['passage_words', 'passage_vectors']) {
    const columns = table === 'passage_words' ? sql`words` : sql`dimensions, embedding`;
    await database.query(
      'copy',
      sql`insert into ${sql.identifier(table)}
      select ${tenant}, collection_id, document_id, passage_id, ${columns} from ${sql.identifier(table)} where tenant = 'mine'`,
    );
  }
  await database.query(
    'copy',
    sql`insert into unembedded_passages select passage_id, ${tenant} from unembedded_passages
    where tenant = 'mine'`,
  );
}

const documentIds = () => documents.map(({ id }) => id);
const passageIds = () => passages.map(({ id }) => id);

/** Every reading method, as JSON: nothing of the other may be in it, and a stranger must get nothing. */
const reads: Record<string, (tenant: string) => Promise<readonly unknown[]>> = {
  'collections.byIds': (tenant) => stores.collections.byIds(tenant, [collection.id]),
  'collections.byNames': (tenant) => stores.collections.byNames(tenant, ['shared']),
  'collections.list': async (tenant) => (await stores.collections.list(tenant, first)).items,
  'collections.counts': async (tenant) => [...(await stores.collections.counts(tenant, [collection.id]))],
  'documents.byIds': (tenant) => stores.documents.byIds(tenant, documentIds()),
  'documents.contentHashes': async (tenant) => [
    ...(await stores.documents.contentHashes(tenant, collection.id, ['one', 'two'])),
  ],
  'documents.listIn': async (tenant) =>
    (await stores.documents.listIn(tenant, [collection.id], first, null)).flatMap(({ items }) => items),
  'documents.listIn with a filter': async (tenant) =>
    (await stores.documents.listIn(tenant, [collection.id], first, everything)).flatMap(({ items }) => items),
  'documents.passagesByIds': (tenant) => stores.documents.passagesByIds(tenant, passageIds()),
  'documents.passagesOf': async (tenant) =>
    (await stores.documents.passagesOf(tenant, documentIds(), first)).flatMap(({ items }) => items),
  'documents.unembedded': async (tenant) =>
    (await stores.documents.unembedded(100, null)).filter((passage) => passage.tenant === tenant),
  'index.search HYBRID': async (tenant) =>
    (await Promise.all(stores.index.search(tenant, [aQuery(collection, 'word', { vector })]))).flat(),
  'index.search VECTOR': async (tenant) =>
    (await Promise.all(stores.index.search(tenant, [aQuery(collection, '', { mode: 'VECTOR', vector })]))).flat(),
  'index.search KEYWORD': async (tenant) =>
    (await Promise.all(stores.index.search(tenant, [aQuery(collection, 'word', { mode: 'KEYWORD' })]))).flat(),
  'index.search with a filter': async (tenant) =>
    (
      await Promise.all(stores.index.search(tenant, [aQuery(collection, 'word', { vector, filter: everything })]))
    ).flat(),
  'index.similar': async (tenant) => (await stores.index.similar(tenant, documentIds(), 5)).flat(),
};

/** How many there are of each; twice as many would be the other's. */
const sizes: Record<string, number> = {
  'collections.byIds': 1,
  'collections.byNames': 1,
  'collections.list': 1,
  'collections.counts': 1,
  'documents.byIds': 2,
  'documents.contentHashes': 2,
  'documents.listIn': 2,
  'documents.listIn with a filter': 2,
  'documents.passagesByIds': 3,
  'documents.passagesOf': 3,
  'documents.unembedded': 1,
  'index.search HYBRID': 3,
  'index.search VECTOR': 2,
  'index.search KEYWORD': 3,
  'index.search with a filter': 3,
  'index.similar': 2,
};

it.each(Object.keys(reads))('%s sees its own tenant only', async (method) => {
  const read = reads[method] ?? (() => Promise.reject(new Error(method)));
  for (const [tenant, other] of [
    ['mine', 'their'],
    ['theirs', 'mine'],
  ] as const) {
    const rows = await read(tenant);
    expect(rows).toHaveLength(sizes[method] ?? Number.NaN);
    expect(JSON.stringify(rows)).not.toContain(other === 'mine' ? 'mine' : 'their');
  }
  expect(await read('stranger')).toHaveLength(0);
});

it('counts its own rows only', async () => {
  const counts = await stores.collections.counts('theirs', [collection.id]);
  expect(counts.get(collection.id)).toEqual({ documents: 2, passages: 3 });
  const [slice] = await stores.documents.listIn('theirs', [collection.id], first, null);
  expect(slice?.totalCount).toBe(2);
  const [list] = await stores.documents.passagesOf('theirs', [documentIds()[0] ?? ''], first);
  expect(list?.totalCount).toBe(list?.items.length);
});

it('weighs words by its own collection only', async () => {
  const [mine] = await Promise.all(stores.index.search('mine', [aQuery(collection, 'bare', { mode: 'KEYWORD' })]));
  // N = 3, df = 1 in this tenant; with the other's rows it would be N = 6, df = 2.
  const [{ rank } = { rank: 0 }] = await database.query<{ rank: number }>(
    'rank',
    sql`select ts_rank('{0.5,0.5,0.5,1}', words, 'bare', 1)::float8 as rank from passage_words
      where tenant = 'mine' and words @@ 'bare'`,
  );
  expect(mine?.[0]?.keywordScore).toBeCloseTo(Math.log(1 + (3 - 1 + 0.5) / (1 + 0.5)) * rank, 8);
});

it('writes and deletes its own tenant only', async () => {
  // Sorted: look-ups promise no order, and theirs may change with PostgreSQL's plan.
  const sorted = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).sort();
  const snapshot = async () =>
    JSON.stringify(await Promise.all(Object.values(reads).map(async (read) => sorted(await read('mine')))));
  const before = await snapshot();
  const vectors = passageIds().map((passageId) => ({ passageId, vector }));
  await stores.documents.writeVectors('theirs', vectors);
  await stores.documents.writeVectors('stranger', vectors);
  expect(await snapshot()).toBe(before);
  await stores.documents.write('theirs', collection.id, [aDocument('one', ['rewritten'])]);
  expect(await snapshot()).toBe(before);
  await expect(stores.documents.write('stranger', collection.id, [aDocument('one', ['x'])])).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
  expect(await stores.documents.delete('stranger', collection.id, { externalIds: ['one'] })).toBe(0);
  expect(await stores.documents.delete('theirs', collection.id, { externalIds: ['one'] })).toBe(1);
  expect(await stores.documents.delete('theirs', collection.id, { filter: everything })).toBe(1);
  expect(await snapshot()).toBe(before);
  expect(await stores.collections.delete('stranger', 'shared')).toBeNull();
  expect(await stores.collections.delete('theirs', 'shared')).toBe(0);
  expect(await snapshot()).toBe(before);
});
