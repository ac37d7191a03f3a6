import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../adapters/postgres/database.ts';
import { searchSettings } from '../../../adapters/postgres/search-settings.ts';
import { searchStatement } from '../../../adapters/postgres/search-statement.ts';
import type { CollectionRecord } from '../../../core/contracts/collection-store.ts';
import type { Filter } from '../../../core/contracts/filter.ts';
import type { IndexHit, IndexQuery } from '../../../core/contracts/search-index.ts';
import {
  aDocument,
  aQuery,
  makeCollection,
  type RetrievalStores,
  retrievalStores,
} from '../../helpers/search-corpus.ts';
import { openTestDatabase } from '../../helpers/test-database.ts';

/*
 * One index holds the vectors of all tenants and collections. On PostgreSQL only, which fills it in seconds; the statements are
 * the same on the embedded database.
 */
const length = 8;
const many = 21_000;
let database: Database & AsyncDisposable;
let stores: RetrievalStores;
let crowd: CollectionRecord;

beforeAll(async () => {
  database = await openTestDatabase();
  stores = retrievalStores(database);
  crowd = await makeCollection(stores, 'crowd', 'default', length);
  // All in the same half of space, the one that the queries point to.
  await database.transaction('fill', async (transaction) => {
    await transaction.query('fill', sql`drop index passage_vectors_nearest_8`);
    await transaction.query(
      'fill',
      sql`create temporary table crowd on commit drop as select gen_random_uuid() as document_id, gen_random_uuid() as passage_id, n,
        (select array_agg(case i when 1 then 1 else random() - 0.5 end)::vector from generate_series(1, ${length} + 0 * n) i)
          as embedding
        from generate_series(1, ${many}) n`,
    );
    await transaction.query(
      'fill',
      sql`insert into documents (tenant, id, collection_id, external_id, metadata, content_hash)
        select 'crowd', document_id, ${crowd.id}, n::text,
          jsonb_build_object('tenth', n % 10 = 0, 'rare', n % 1750 = 0), '' from crowd`,
    );
    await transaction.query(
      'fill',
      sql`insert into passages (tenant, id, document_id, position, text)
        select 'crowd', passage_id, document_id, 0, 'one of a crowd' from crowd`,
    );
    await transaction.query(
      'fill',
      sql`insert into passage_words (tenant, collection_id, document_id, passage_id, words)
        select 'crowd', ${crowd.id}, document_id, passage_id, '' from crowd`,
    );
    await transaction.query(
      'fill',
      sql`insert into passage_vectors (tenant, collection_id, document_id, passage_id, dimensions, embedding)
        select 'crowd', ${crowd.id}, document_id, passage_id, ${length}, embedding from crowd`,
    );
  });
  await database.query('analyze', sql`analyze documents, passages, passage_words, passage_vectors`);
});
afterAll(() => database[Symbol.asyncDispose]());

const ahead = Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0);
const isTrue = (path: string): Filter => ({ op: 'equals', path, value: true });
const query = (collection: CollectionRecord, rest: Partial<IndexQuery> = {}) =>
  aQuery(collection, '', { mode: 'VECTOR', vector: ahead, ...rest });
const names = (hits: readonly IndexHit[] | undefined) => hits?.map(({ document }) => document.externalId).sort();

describe('a small tenant beside a large one that is nearer to its query', () => {
  let ours: CollectionRecord;
  beforeAll(async () => {
    // This makes the index anew, over what is there by now.
    ours = await makeCollection(stores, 'ours', 'default', length);
    const documents = ['a', 'b', 'c', 'd', 'e'].map((name, n) =>
      aDocument(name, [[`number ${n}`, [-1, n, 0, 0, 0, 0, 0, 1]]], { metadata: { rare: n > 2 } }),
    );
    await stores.documents.write('ours', ours.id, documents);
  });

  it('finds all of its own', async () => {
    const [hits] = await Promise.all(stores.index.search('ours', [query(ours)]));
    expect(names(hits)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('finds all of its own that pass a filter', async () => {
    const [vector, hybrid] = await Promise.all(
      stores.index.search('ours', [
        query(ours, { filter: isTrue('rare') }),
        query(ours, { filter: isTrue('rare'), mode: 'HYBRID', text: 'numbers' }),
      ]),
    );
    expect([names(vector), names(hybrid)]).toEqual([
      ['d', 'e'],
      ['d', 'e'],
    ]);
  });

  it('finds what is similar in its own', async () => {
    const [hits] = await Promise.all(stores.index.search('ours', [query(ours)]));
    const a = hits?.find(({ document }) => document.externalId === 'a')?.document.id ?? '';
    const [similar] = await stores.index.similar('ours', [a], 10);
    expect(names(similar)).toEqual(['b', 'c', 'd', 'e']);
  });
});

describe('a filter over a large collection', () => {
  it('reads the index on until a hundred have passed', async () => {
    const asked = [query(crowd, { filter: isTrue('tenth') })];
    const plan = await database.read<{ 'QUERY PLAN': string }>(
      'explain',
      searchSettings,
      sql`explain (analyze, costs off, timing off) ${searchStatement('crowd', asked, database.longestIndexedVector)}`,
    );
    const text = plan.map((row) => row['QUERY PLAN']).join('\n');
    expect(text).toMatch(/Index Scan using passage_vectors_nearest_8 on passage_vectors v \(actual rows=100/);
    const [hits] = await Promise.all(stores.index.search('crowd', asked));
    expect(hits).toHaveLength(100);
    expect(hits?.every(({ document }) => Number(document.externalId) % 10 === 0)).toBe(true);
  });

  it('finds the few that pass, wherever they are', async () => {
    const [hits] = await Promise.all(stores.index.search('crowd', [query(crowd, { filter: isTrue('rare') })]));
    expect(hits).toHaveLength(many / 1_750);
  });
});

it('has an index at half precision for vectors too long for one at full precision', async () => {
  const long = await makeCollection(stores, 'long', randomUUID(), 3_072);
  const [index] = await database.query<{ definition: string }>(
    'index',
    sql`select indexdef as definition from pg_indexes where indexname = 'passage_vectors_nearest_3072'`,
  );
  expect(index?.definition).toContain('(((embedding)::halfvec(3072)) halfvec_cosine_ops)');
  const direction = (n: number) => Array.from({ length: 3_072 }, (_, i) => Math.cos(i * n));
  const documents = Array.from({ length: 20 }, (_, n) => aDocument(`${n}`, [['long', direction(n)]]));
  await stores.documents.write('long', long.id, documents);
  const vector = Float32Array.from(direction(7));
  const [hits] = await Promise.all(stores.index.search('long', [query(long, { vector })]));
  expect(hits?.[0]?.document.externalId).toBe('7');
  expect(hits?.[0]?.vectorScore).toBeCloseTo(1, 5);
  expect(hits).toHaveLength(20);
});
