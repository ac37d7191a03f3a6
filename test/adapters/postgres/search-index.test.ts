import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../adapters/postgres/database.ts';
import { searchSettings } from '../../../adapters/postgres/search-settings.ts';
import { searchStatement } from '../../../adapters/postgres/search-statement.ts';
import type { CollectionRecord } from '../../../core/contracts/collection-store.ts';
import type { IndexHit, IndexQuery } from '../../../core/contracts/search-index.ts';
import {
  aDocument,
  aQuery,
  makeCollection,
  type RetrievalStores,
  retrievalStores,
} from '../../helpers/search-corpus.ts';
import { openTestDatabase } from '../../helpers/test-database.ts';

const tenant = 'searcher';
let database: Database & AsyncDisposable;
let stores: RetrievalStores;
/** A few animals; the vectors are (feline, canine, avian). */
let animals: CollectionRecord;
beforeAll(async () => {
  database = await openTestDatabase();
  stores = retrievalStores(database);
  animals = await makeCollection(stores, tenant, 'animals');
  await stores.documents.write(tenant, animals.id, [
    aDocument(
      'cat',
      [
        ['The cat sleeps all day.', [1, 0, 0]],
        ['It purrs when it is stroked.', [0.9, 0.1, 0]],
      ],
      {
        title: 'House cats',
        metadata: { legs: 4 },
      },
    ),
    aDocument('lion', [['Lions hunt in a pride.', [0.8, 0.1, 0.1]]], {
      title: 'Lions',
      metadata: { legs: 4, wild: true },
    }),
    aDocument('dog', [['The dog guards the house and barks at the cat.', [0.1, 1, 0]]], { metadata: { legs: 4 } }),
    aDocument('eagle', [['An eagle circles over the valley.', [0, 0, 1]]], { metadata: { legs: 2, wild: true } }),
    aDocument('owl', ['The owl hunts by night and sleeps by day.'], {
      title: 'Owls',
      metadata: { legs: 2, wild: true },
    }),
  ]);
});
afterAll(() => database[Symbol.asyncDispose]());

const vector = (...components: number[]) => Float32Array.from(components);
const names = (hits: readonly IndexHit[] | undefined) => hits?.map(({ document }) => document.externalId);
async function search(text: string, rest: Partial<IndexQuery> = {}): Promise<readonly IndexHit[]> {
  const [hits] = await Promise.all(stores.index.search(tenant, [aQuery(animals, text, rest)]));
  return hits ?? [];
}

describe('keyword search', () => {
  it('finds its words in the index at once: none are kept aside for a vacuum', async () => {
    const merged = await database.query(
      'merge',
      sql`select gin_clean_pending_list('passage_words_search')::int as pages`,
    );
    expect(merged).toEqual([{ pages: 0 }]);
  });

  it('finds by any word in any of its forms, the best first with score 1', async () => {
    const hits = await search('sleeping cats', { mode: 'KEYWORD' });
    expect(names(hits)?.[0]).toBe('cat');
    expect(new Set(names(hits))).toEqual(new Set(['cat', 'dog', 'owl']));
    expect(hits[0]).toMatchObject({ score: 1, vectorScore: null });
    expect(hits.map(({ score }) => score)).toEqual(hits.map(({ score }) => score).sort((a, b) => b - a));
    for (const { keywordScore } of hits) expect(keywordScore).toBeGreaterThan(0);
  });

  it('follows the formula: idf times ts_rank with length, the title counting twice', async () => {
    const hits = await search('cat hunts', { mode: 'KEYWORD' });
    const expected = await database.query<{ id: string; score: number }>(
      'formula',
      sql`with words as (
          select passages.id, setweight(to_tsvector('english', coalesce(title, '')), 'A')
            || setweight(to_tsvector('english', text), 'D') as words
          from passages join documents on documents.id = passages.document_id and documents.collection_id = ${animals.id}),
        term as (select term::tsquery, (select count(*) from words where words @@ term::tsquery) as df,
          (select count(*) from words) as n from unnest(array['cat', 'hunt']) as term)
        select id, score from (
          select id, (select sum(ln(1 + (n - df + 0.5) / (df + 0.5)) * ts_rank('{0.5,0.5,0.5,1}', words, term, 1))
            from term)::float8 as score from words) scored
        where score > 0 order by score desc, id`,
    );
    expect(hits.map(({ passage }) => passage.id)).toEqual(expected.map(({ id }) => id));
    for (const [index, { keywordScore }] of hits.entries())
      expect(keywordScore).toBeCloseTo(expected[index]?.score ?? -1, 6);
    const [best, worst] = [expected[0]?.score ?? 0, expected.at(-1)?.score ?? 0];
    for (const { score, keywordScore } of hits)
      expect(score).toBeCloseTo(((keywordScore ?? 0) - worst) / (best - worst), 6);
  });

  it('finds nothing for words that are nowhere, or for stop words alone', async () => {
    expect(await search('quasar', { mode: 'KEYWORD' })).toEqual([]);
    expect(await search('the of and', { mode: 'KEYWORD' })).toEqual([]);
    expect(await search('', { mode: 'KEYWORD' })).toEqual([]);
  });

  it('gives a single hit, and hits that are equal, the score 1', async () => {
    expect((await search('eagle', { mode: 'KEYWORD' })).map(({ score }) => score)).toEqual([1]);
    const collection = await makeCollection(stores, tenant, randomUUID());
    await stores.documents.write(
      tenant,
      collection.id,
      ['a', 'b'].map((id) => aDocument(id, ['equal words'])),
    );
    const query = aQuery(collection, 'equal', { mode: 'KEYWORD' });
    const [first, again] = await Promise.all(stores.index.search(tenant, [query, query]));
    expect(first?.map(({ score }) => score)).toEqual([1, 1]);
    expect(names(first)).toEqual(names(again));
  });

  it.each(["it's", "a'b\\'c", "'; drop table passages; --", 'a & b | !c <-> (d:*)', '\\', '"', '🙂', '<b>', ':*A'])(
    'takes %j as words, not as a query language',
    async (text) => {
      await expect(search(`${text} cat`, { mode: 'KEYWORD' })).resolves.toEqual(expect.arrayContaining([]));
      expect(names(await search(`${text} cat`, { mode: 'KEYWORD' }))).toContain('cat');
    },
  );
});

describe('vector search', () => {
  it('ranks by cosine similarity, and knows no words', async () => {
    const hits = await search('eagle', { mode: 'VECTOR', vector: vector(2, 0.1, 0) });
    expect(names(hits)).toEqual(['cat', 'cat', 'lion', 'dog', 'eagle']);
    expect(hits[0]?.score).toBeCloseTo(2 / Math.hypot(2, 0.1), 5);
    for (const { score, vectorScore, keywordScore } of hits) {
      expect(keywordScore).toBeNull();
      expect(score).toBeCloseTo(Math.max(0, vectorScore ?? -1), 12);
    }
  });

  it('keeps the score within 0 and 1 and the order where similarity is negative', async () => {
    const hits = await search('', { mode: 'VECTOR', vector: vector(-1, -0.2, 0) });
    expect(names(hits)?.[0]).toBe('eagle');
    expect(names(hits)?.at(-1)).toBe('cat');
    for (const { score } of hits) expect(score).toBe(0);
    const similarities = hits.map(({ vectorScore }) => vectorScore ?? Number.NaN);
    expect(similarities).toEqual([...similarities].sort((a, b) => b - a));
  });

  it('finds nothing without a vector, or by one of another length', async () => {
    expect(await search('cat', { mode: 'VECTOR' })).toEqual([]);
    expect(await search('cat', { mode: 'VECTOR', vector: vector(1, 2, 3, 4) })).toEqual([]);
  });
});

describe('hybrid search', () => {
  it('scores both legs over their union', async () => {
    const hits = await search('dog', { vector: vector(1, 0, 0) });
    expect(new Set(names(hits))).toEqual(new Set(['cat', 'lion', 'dog', 'eagle']));
    const dog = hits.find(({ document }) => document.externalId === 'dog');
    const similarities = hits.map(({ vectorScore }) => vectorScore ?? Number.NaN);
    const [low, high] = [Math.min(...similarities), Math.max(...similarities)];
    expect(dog?.score).toBeCloseTo(0.5 + (0.5 * ((dog?.vectorScore ?? 0) - low)) / (high - low), 6);
    expect(hits.find(({ vectorScore }) => vectorScore === high)?.score).toBeCloseTo(0.5, 6);
  });

  it('finds by its words what has no vector yet', async () => {
    const hits = await search('owl', { vector: vector(1, 0, 0) });
    const owl = hits.find(({ document }) => document.externalId === 'owl');
    expect(owl).toMatchObject({ vectorScore: null, score: 0.5 });
    expect(owl?.keywordScore).toBeGreaterThan(0);
  });

  it('is keyword search without a query vector, and where nothing is embedded', async () => {
    const collection = await makeCollection(stores, tenant, randomUUID());
    await stores.documents.write(tenant, collection.id, [
      aDocument('a', ['red red apple']),
      aDocument('b', ['a red pear']),
    ]);
    const rows = await Promise.all(
      stores.index.search(tenant, [
        aQuery(collection, 'apple red', { mode: 'KEYWORD' }),
        aQuery(collection, 'apple red'),
        aQuery(collection, 'apple red', { vector: vector(1, 0, 0) }),
      ]),
    );
    expect(rows[0]).toHaveLength(2);
    expect(rows[1]).toEqual(rows[0]);
    expect(rows[2]).toEqual(rows[0]);
  });

  it('goes by vectors alone for a query of stop words', async () => {
    const hits = await search('where is the', { vector: vector(0, 0, 1) });
    expect(hits[0]).toMatchObject({ document: { externalId: 'eagle' }, score: 1, keywordScore: 0 });
  });
});

describe('a vector of zeros', () => {
  it('is near to nothing', async () => {
    const collection = await makeCollection(stores, tenant, randomUUID());
    const documents = [aDocument('zero', [['blank page', [0, 0, 0]]]), aDocument('some', [['a page', [1, 0, 0]]])];
    await stores.documents.write(tenant, collection.id, documents);
    const rows = await Promise.all(
      stores.index.search(tenant, [
        aQuery(collection, '', { mode: 'VECTOR', vector: vector(1, 0, 0) }),
        aQuery(collection, '', { mode: 'VECTOR', vector: vector(0, 0, 0) }),
        aQuery(collection, 'blank', { vector: vector(1, 0, 0) }),
        aQuery(collection, 'blank', { vector: vector(0, 0, 0) }),
      ]),
    );
    expect(rows.map(names)).toEqual([['some'], [], expect.arrayContaining(['zero', 'some']), ['zero']]);
    expect(rows[2]?.find(({ document }) => document.externalId === 'zero')?.vectorScore).toBeNull();
  });
});

describe('a page of results', () => {
  it('holds at most perDocument passages of a document, the best ones', async () => {
    const all = await search('', { mode: 'VECTOR', vector: vector(1, 0.3, 0) });
    const one = await search('', { mode: 'VECTOR', vector: vector(1, 0.3, 0), perDocument: 1 });
    expect(names(all)?.filter((name) => name === 'cat')).toHaveLength(2);
    expect(names(one)).toEqual([...new Set(names(all))]);
    expect(one[0]).toEqual(all[0]);
  });

  it('is the slice of the whole that offset and limit name', async () => {
    const rest = { vector: vector(0.5, 0.4, 0.3) };
    const whole = await search('cat sleeps', rest);
    expect(await search('cat sleeps', { ...rest, offset: 1, limit: 2 })).toEqual(whole.slice(1, 3));
    expect(await search('cat sleeps', { ...rest, offset: 100 })).toEqual([]);
    expect(await search('cat sleeps', { ...rest, limit: 0 })).toEqual([]);
  });

  it('needs no further statement for its passages and documents', async () => {
    const [hit] = await search('eagle');
    const [document] = await stores.documents.byIds(tenant, [hit?.document.id ?? '']);
    const [passage] = await stores.documents.passagesByIds(tenant, [hit?.passage.id ?? '']);
    expect(hit).toMatchObject({ document, passage });
  });
});

describe('a filter', () => {
  it('holds inside both legs', async () => {
    const filter = { op: 'equals', path: 'wild', value: true } as const;
    const hits = await search('cat sleeps', { vector: vector(1, 0, 0), filter });
    expect(new Set(names(hits))).toEqual(new Set(['lion', 'eagle', 'owl']));
    expect(await search('cat', { mode: 'KEYWORD', filter })).toEqual([]);
  });

  it('finds a few among many that are nearer and fit the words better', async () => {
    const collection = await makeCollection(stores, tenant, randomUUID());
    const near = Array.from({ length: 300 }, (_, n) =>
      aDocument(`near ${n}`, [['word word word', [1, 0.001 * n, 0]]], { metadata: { rare: false } }),
    );
    const rare = aDocument('rare', [['a word among many others that say something else', [0, 1, 1]]], {
      metadata: { rare: true },
    });
    await stores.documents.write(tenant, collection.id, [...near, rare]);
    const filter = { op: 'equals', path: 'rare', value: true } as const;
    for (const mode of ['HYBRID', 'VECTOR', 'KEYWORD'] as const) {
      const query = aQuery(collection, 'word', { mode, vector: vector(1, 0, 0), filter });
      const [hits] = await Promise.all(stores.index.search(tenant, [query]));
      expect({ mode, names: names(hits) }).toEqual({ mode, names: ['rare'] });
    }
  });
});

describe('many queries', () => {
  it('are one statement, each answered as if it were alone', async () => {
    const other = await makeCollection(stores, tenant, randomUUID(), 5);
    await stores.documents.write(tenant, other.id, [aDocument('x', [['five dimensions of cat', [1, 2, 3, 4, 5]]])]);
    const long = await makeCollection(stores, tenant, randomUUID(), 2_500);
    const longVector = Float32Array.from({ length: 2_500 }, (_, n) => n % 7);
    await stores.documents.write(tenant, long.id, [aDocument('long', [['not indexed', [...longVector]]])]);
    const queries = [
      ...Array.from({ length: 12 }, (_, n) =>
        aQuery(animals, n % 2 ? 'cat house' : 'hunting', { vector: vector(n, 1, 2) }),
      ),
      aQuery(animals, 'cat', { mode: 'KEYWORD' }),
      aQuery(animals, 'cat', { mode: 'VECTOR', vector: vector(0, 1, 0) }),
      aQuery(animals, 'cat', { filter: { op: 'lessThan', path: 'legs', value: 3 }, vector: vector(0, 1, 0) }),
      aQuery(animals, 'sleeps', { filter: { op: 'exists', path: 'wild', exists: false } }),
      aQuery(other, 'cat', { vector: vector(5, 4, 3, 2, 1) }),
      aQuery(long, 'cat', { vector: longVector }),
      aQuery({ ...animals, id: randomUUID() }, 'cat', { vector: vector(0, 1, 0) }),
      aQuery({ ...animals, id: 'not an id' }, 'cat'),
    ];
    expect(queries).toHaveLength(20);
    const before = database.statements.get('search') ?? 0;
    const together = await Promise.all(stores.index.search(tenant, queries));
    expect(database.statements.get('search')).toBe(before + 1);
    const alone: (readonly IndexHit[])[] = [];
    for (const query of queries) alone.push(...(await Promise.all(stores.index.search(tenant, [query]))));
    expect(together).toEqual(alone);
    expect(together.map((hits) => hits.length > 0)).toEqual([...Array(18).fill(true), false, false]);
  });

  it('fail together where the statement does', async () => {
    const gone = AbortSignal.abort();
    const queries = [aQuery(animals, 'cat'), aQuery(animals, 'sleeps')];
    const settled = await Promise.allSettled(stores.index.search(tenant, queries, gone));
    expect(settled.map((one) => one.status === 'rejected' && one.reason.code)).toEqual(['CANCELLED', 'CANCELLED']);
  });

  it('are none for no query', async () => {
    expect(await Promise.all(stores.index.search(tenant, []))).toEqual([]);
    expect(await stores.index.similar(tenant, [], 5)).toEqual([]);
  });
});

describe('a large collection', () => {
  const size = 2_400;
  let large: CollectionRecord;
  /** On a circle, so that the nearest to an angle are known. */
  const angle = (n: number) => (2 * Math.PI * n) / size;
  beforeAll(async () => {
    large = await makeCollection(stores, tenant, 'large', 384);
    const embedding = (n: number) => [Math.cos(angle(n)), Math.sin(angle(n)), ...Array<number>(382).fill(0)];
    for (let from = 0; from < size; from += 400) {
      const batch = Array.from({ length: 400 }, (_, index) => {
        const n = from + index;
        return aDocument(`${n}`, [[`common word${n % 40 === 0 ? ' scarce' : ''} number${n}`, embedding(n)]]);
      });
      await stores.documents.write(tenant, large.id, batch);
    }
  }, 60_000);

  const at = (degrees: number) => {
    const query = new Float32Array(384);
    query[0] = Math.cos((degrees * Math.PI) / 180);
    query[1] = Math.sin((degrees * Math.PI) / 180);
    return query;
  };

  it('is searched through the index of its vectors', async () => {
    const statement = searchStatement(tenant, [aQuery(large, 'scarce', { vector: at(90) })], 2_000);
    const plan = await database.read<{ 'QUERY PLAN': string }>(
      'explain',
      searchSettings,
      sql`explain (analyze, costs off, timing off) ${statement}`,
    );
    const text = plan.map((row) => row['QUERY PLAN']).join('\n');
    expect(text).toMatch(/Index Scan using passage_vectors_nearest_384 on passage_vectors v \(actual rows=100/);
  });

  it('gives the nearest hundred', async () => {
    const [hits] = await Promise.all(
      stores.index.search(tenant, [aQuery(large, '', { mode: 'VECTOR', vector: at(90) })]),
    );
    expect(hits).toHaveLength(100);
    const distances = hits?.map(({ document }) => Math.abs(Number(document.externalId) - size / 4)) ?? [];
    // An HNSW index may miss a few at the border.
    expect(distances.filter((distance) => distance <= 50).length).toBeGreaterThanOrEqual(95);
    expect(distances[0]).toBe(0);
  });

  it('lets rare words bring in passages, and common ones only score', async () => {
    const [hits] = await Promise.all(
      stores.index.search(tenant, [aQuery(large, 'common scarce', { mode: 'KEYWORD' })]),
    );
    expect(hits?.slice(0, 60).every(({ passage }) => passage.text.includes('scarce'))).toBe(true);
    const [common] = await Promise.all(stores.index.search(tenant, [aQuery(large, 'common', { mode: 'KEYWORD' })]));
    expect(common).toHaveLength(100);
  });

  it('does not crowd out a small one with vectors of the same length', async () => {
    const small = await makeCollection(stores, 'small tenant', 'large', 384);
    await stores.documents.write('small tenant', small.id, [aDocument('far', [['far away', [...at(270)]]])]);
    const [hits] = await Promise.all(
      stores.index.search('small tenant', [aQuery(small, '', { mode: 'VECTOR', vector: at(90) })]),
    );
    expect(names(hits)).toEqual(['far']);
  });
});

describe('similar documents', () => {
  it('are the nearest of the same collection by their best passages, without the document itself', async () => {
    const other = await makeCollection(stores, tenant, randomUUID());
    await stores.documents.write(tenant, other.id, [aDocument('twin', [['the same as cat', [1, 0, 0]]])]);
    const [slice] = await stores.documents.listIn(tenant, [animals.id], { first: 10, after: null }, null);
    const ids = new Map(slice?.items.map(({ item }) => [item.externalId, item.id]));
    const before = database.statements.get('similar') ?? 0;
    const asked = ['cat', 'eagle', 'owl'].map((name) => ids.get(name) ?? '');
    const [cat, eagle, owl, unknown, noId] = await stores.index.similar(tenant, [...asked, randomUUID(), 'no id'], 2);
    expect(database.statements.get('similar')).toBe(before + 1);
    expect(names(cat)).toEqual(['lion', 'dog']);
    expect(names(eagle)?.[0]).toBe('lion');
    expect(eagle).toHaveLength(2);
    expect([owl, unknown, noId]).toEqual([[], [], []]);
    const cosine = (0.9 * 0.8 + 0.1 * 0.1) / (Math.hypot(0.9, 0.1) * Math.hypot(0.8, 0.1, 0.1));
    expect(cat?.[0]?.score).toBeCloseTo(cosine, 5);
    expect(cat?.[0]).toMatchObject({ keywordScore: null });
  });
});
