import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../adapters/postgres/database.ts';
import type { Page } from '../../../core/contracts/page.ts';
import { nextMillisecond } from '../../helpers/next-millisecond.ts';
import {
  aDocument,
  aQuery,
  makeCollection,
  type RetrievalStores,
  retrievalStores,
} from '../../helpers/search-corpus.ts';
import { openTestDatabase } from '../../helpers/test-database.ts';

const tenant = 'writer';
const start: Page = { first: 100, after: null };
let database: Database & AsyncDisposable;
let stores: RetrievalStores;
beforeAll(async () => {
  database = await openTestDatabase();
  stores = retrievalStores(database);
});
afterAll(() => database[Symbol.asyncDispose]());

const anyCollection = () => makeCollection(stores, tenant, randomUUID());

async function listed(collectionId: string) {
  const [slice] = await stores.documents.listIn(tenant, [collectionId], start, null);
  return (slice?.items ?? []).map(({ item }) => item);
}
async function passagesOf(documentId: string) {
  const [slice] = await stores.documents.passagesOf(tenant, [documentId], start);
  return (slice?.items ?? []).map(({ item }) => item);
}
/** Statements that ran during the work, `maintenance` of the database itself left out. */
async function statementsOf(work: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = new Map(database.statements);
  await work();
  const ran = [...database.statements].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const);
  return Object.fromEntries(ran.filter(([name, count]) => count > 0 && !name.startsWith('maintenance')));
}

describe('writing', () => {
  it('keeps all that a document has', async () => {
    const collection = await anyCollection();
    const metadata = { nested: { list: [1, 'two', null] }, 'quote"': "it's", empty: {} };
    const written = aDocument('a/1', ['first', 'second'], { title: 'Title', url: 'https://example.test/', metadata });
    await stores.documents.write(tenant, collection.id, [written]);
    const [document] = await listed(collection.id);
    expect(document).toMatchObject({ externalId: 'a/1', title: 'Title', url: 'https://example.test/', metadata });
    const passages = await passagesOf(document?.id ?? '');
    expect(passages.map(({ position, text }) => [position, text])).toEqual([
      [0, 'first'],
      [1, 'second'],
    ]);
    expect(
      await stores.documents.passagesByIds(
        tenant,
        passages.map(({ id }) => id),
      ),
    ).toEqual(passages);
    expect(await stores.documents.byIds(tenant, [document?.id ?? ''])).toEqual([document]);
  });

  it('replaces a document and all its passages, and keeps its id and age', async () => {
    const collection = await anyCollection();
    await stores.documents.write(tenant, collection.id, [aDocument('x', ['old zebra', 'older zebra'])]);
    const [before] = await listed(collection.id);
    const changed = aDocument('x', ['new giraffe'], { title: 'Changed', contentHash: 'other' });
    await stores.documents.write(tenant, collection.id, [changed]);
    const [after] = await listed(collection.id);
    expect(after).toMatchObject({ id: before?.id, createdAt: before?.createdAt, title: 'Changed' });
    expect(after?.updatedAt.getTime()).toBeGreaterThanOrEqual(before?.updatedAt.getTime() ?? Number.NaN);
    expect((await passagesOf(after?.id ?? '')).map(({ text }) => text)).toEqual(['new giraffe']);
    const [zebra, giraffe] = await Promise.all(
      stores.index.search(tenant, [aQuery(collection, 'zebra'), aQuery(collection, 'giraffe')]),
    );
    expect([zebra?.length, giraffe?.length]).toEqual([0, 1]);
  });

  it('takes the last of documents with one external id', async () => {
    const collection = await anyCollection();
    await stores.documents.write(tenant, collection.id, [aDocument('x', ['first']), aDocument('x', ['last'])]);
    const documents = await listed(collection.id);
    expect(documents).toHaveLength(1);
    expect((await passagesOf(documents[0]?.id ?? '')).map(({ text }) => text)).toEqual(['last']);
  });

  it('takes the same number of statements for one document and for a hundred', async () => {
    const collection = await anyCollection();
    const batch = (size: number) =>
      Array.from({ length: size }, (_, n) => aDocument(`d${n}`, [`text ${n}`, ['v', [1, 2, 3]]]));
    const one = await statementsOf(() => stores.documents.write(tenant, collection.id, batch(1)));
    const hundred = await statementsOf(() => stores.documents.write(tenant, collection.id, batch(100)));
    expect(hundred).toEqual(one);
    expect(await stores.collections.counts(tenant, [collection.id])).toEqual(
      new Map([[collection.id, { documents: 100, passages: 200 }]]),
    );
  });

  it('writes all of a batch or nothing of it', async () => {
    const collection = await anyCollection();
    const batch = [aDocument('good', ['fine']), aDocument('bad', [['wrong', [1, 2]]])];
    await expect(stores.documents.write(tenant, collection.id, batch)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: 'passage 0 of document bad: expected a vector of length 3, got 2',
    });
    expect(await listed(collection.id)).toEqual([]);
  });

  it.each([randomUUID(), 'not an id'])('refuses the unknown collection %s', async (id) => {
    await expect(stores.documents.write(tenant, id, [aDocument('x', ['y'])])).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('refuses text that cannot be stored and goes on with the next', async () => {
    const collection = await anyCollection();
    const write = (text: string) => stores.documents.write(tenant, collection.id, [aDocument('x', [text])]);
    await expect(write('NUL \0 here')).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(
      stores.documents.write(tenant, collection.id, [aDocument('x', [], { metadata: { a: '\0' } })]),
    ).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await write('words of any script: слово 言葉 🙂, a word as long as '.concat('w'.repeat(5_000)));
    expect(await listed(collection.id)).toHaveLength(1);
  });

  it('says which contents it has', async () => {
    const collection = await anyCollection();
    await stores.documents.write(tenant, collection.id, [aDocument('a', []), aDocument('b', [])]);
    expect(await stores.documents.contentHashes(tenant, collection.id, ['a', 'b', 'c'])).toEqual(
      new Map([
        ['a', 'hash of a'],
        ['b', 'hash of b'],
      ]),
    );
  });
});

describe('listing', () => {
  it('pages through many collections in one statement, newest first, each document once', async () => {
    const [first, second] = [await anyCollection(), await anyCollection()];
    // One batch has one time: the order within it is by id.
    await stores.documents.write(
      tenant,
      first.id,
      [1, 2, 3].map((n) => aDocument(`early ${n}`, [])),
    );
    await nextMillisecond();
    await stores.documents.write(
      tenant,
      first.id,
      [4, 5].map((n) => aDocument(`late ${n}`, [])),
    );
    await stores.documents.write(tenant, second.id, [aDocument('other', [])]);
    const statements = await statementsOf(async () => {
      const [a, b, unknown] = await stores.documents.listIn(tenant, [first.id, second.id, randomUUID()], start, null);
      expect([a?.totalCount, b?.totalCount, unknown?.totalCount]).toEqual([5, 1, 0]);
      expect(b?.items.map(({ item }) => item.externalId)).toEqual(['other']);
      expect(unknown).toEqual({ items: [], hasNext: false, totalCount: 0 });
    });
    expect(statements).toEqual({ 'documents-list': 1 });

    const seen: string[] = [];
    let after: Page['after'] = null;
    for (let pages = 0; pages < 10; pages += 1) {
      const [slice] = await stores.documents.listIn(tenant, [first.id], { first: 2, after }, null);
      expect(slice?.totalCount).toBe(5);
      seen.push(...(slice?.items ?? []).map(({ item }) => item.externalId));
      after = slice?.items.at(-1)?.key ?? null;
      if (!slice?.hasNext) break;
    }
    expect(seen.slice(0, 2).sort()).toEqual(['late 4', 'late 5']);
    expect(seen.slice(2).sort()).toEqual(['early 1', 'early 2', 'early 3']);
  });

  it('counts and lists what a filter lets through', async () => {
    const collection = await anyCollection();
    const documents = [1, 2, 3].map((n) => aDocument(`${n}`, [], { metadata: { n } }));
    await stores.documents.write(tenant, collection.id, documents);
    const filter = { op: 'greaterThan', path: 'n', value: 1 } as const;
    const [slice] = await stores.documents.listIn(tenant, [collection.id], { first: 1, after: null }, filter);
    expect(slice).toMatchObject({ totalCount: 2, hasNext: true });
  });

  it('pages through the passages of many documents in one statement, by position', async () => {
    const collection = await anyCollection();
    await stores.documents.write(tenant, collection.id, [aDocument('long', ['0', '1', '2']), aDocument('none', [])]);
    const ids = new Map((await listed(collection.id)).map(({ externalId, id }) => [externalId, id]));
    const documentIds = [ids.get('none') ?? '', ids.get('long') ?? '', 'no id'];
    const statements = await statementsOf(async () => {
      const [none, long, unknown] = await stores.documents.passagesOf(tenant, documentIds, { first: 2, after: null });
      expect(none).toEqual({ items: [], hasNext: false, totalCount: 0 });
      expect(unknown).toEqual({ items: [], hasNext: false, totalCount: 0 });
      expect(long).toMatchObject({ hasNext: true, totalCount: 3 });
      expect(long?.items.map(({ item, key }) => [item.text, key])).toEqual([
        ['0', [0]],
        ['1', [1]],
      ]);
    });
    expect(statements).toEqual({ 'passages-list': 1 });
    const [rest] = await stores.documents.passagesOf(tenant, [ids.get('long') ?? ''], { first: 2, after: [1] });
    expect(rest).toMatchObject({ hasNext: false, totalCount: 3, items: [{ item: { text: '2' } }] });
  });

  it.each([[['x']], [['1', 'not an id']], [[1, randomUUID()]], [[]], [['1', randomUUID(), 'more']]])(
    'refuses the key %j, which is none of its own',
    async (after) => {
      const collection = await anyCollection();
      const page = { first: 1, after };
      await expect(stores.documents.listIn(tenant, [collection.id], page, null)).rejects.toMatchObject({
        code: 'BAD_INPUT',
      });
      await expect(stores.documents.passagesOf(tenant, [randomUUID()], page)).rejects.toMatchObject({
        code: 'BAD_INPUT',
      });
    },
  );
});

describe('deleting', () => {
  it('takes what was named and says how many there were', async () => {
    const collection = await anyCollection();
    await stores.documents.write(
      tenant,
      collection.id,
      ['a', 'b', 'c'].map((id) => aDocument(id, [`text of ${id}`])),
    );
    expect(await stores.documents.delete(tenant, collection.id, { externalIds: ['a', 'b', 'none'] })).toBe(2);
    expect((await listed(collection.id)).map(({ externalId }) => externalId)).toEqual(['c']);
    const [hits] = await Promise.all(stores.index.search(tenant, [aQuery(collection, 'text')]));
    expect(hits?.map(({ document }) => document.externalId)).toEqual(['c']);
  });

  it('takes what a filter lets through, in this collection only', async () => {
    const [collection, other] = [await anyCollection(), await anyCollection()];
    const documents = [1, 2, 3].map((n) => aDocument(`${n}`, [], { metadata: { n } }));
    await stores.documents.write(tenant, collection.id, documents);
    await stores.documents.write(tenant, other.id, documents);
    const filter = { op: 'lessThan', path: 'n', value: 3 } as const;
    expect(await stores.documents.delete(tenant, collection.id, { filter })).toBe(2);
    expect((await listed(collection.id)).map(({ externalId }) => externalId)).toEqual(['3']);
    expect(await listed(other.id)).toHaveLength(3);
  });
});

describe('missing vectors', () => {
  it('are found oldest first, page by page, and gone once written', async () => {
    const collection = await anyCollection();
    const texts = ['one', 'two', 'three', 'four', 'five'];
    const documents = texts.map((text) =>
      aDocument(text, [text, [`has one: ${text}`, [0, 1, 0]]], { title: `T ${text}` }),
    );
    for (const document of documents) await stores.documents.write(tenant, collection.id, [document]);

    const mine = async (limit: number, after: string | null) =>
      (await stores.documents.unembedded(limit, after)).filter(({ collectionId }) => collectionId === collection.id);
    const found = await mine(1000, null);
    expect(found.map(({ text }) => text)).toEqual(texts);
    expect(found[0]).toMatchObject({ tenant, title: 'T one', embeddingModel: 'test-embedding' });
    expect((await mine(1000, found[2]?.passageId ?? '')).map(({ text }) => text)).toEqual(['four', 'five']);
    expect(await mine(2, found[0]?.passageId ?? '')).toEqual(found.slice(1, 3));

    const vectors = found.slice(0, 4).map(({ passageId }) => ({ passageId, vector: Float32Array.of(1, 0, 0) }));
    const gone = { passageId: randomUUID(), vector: Float32Array.of(1, 2) };
    await stores.documents.writeVectors(tenant, [...vectors, gone]);
    expect((await mine(1000, null)).map(({ text }) => text)).toEqual(['five']);
    const query = aQuery(collection, '', { mode: 'VECTOR', vector: Float32Array.of(1, 0, 0), limit: 4 });
    const [hits] = await Promise.all(stores.index.search(tenant, [query]));
    expect(hits?.map(({ vectorScore }) => vectorScore)).toEqual([1, 1, 1, 1]);
  });

  it('are written once: what has a vector keeps it', async () => {
    const collection = await anyCollection();
    await stores.documents.write(tenant, collection.id, [aDocument('x', [['text', [0, 0, 1]]])]);
    const [document] = await listed(collection.id);
    const [passage] = await passagesOf(document?.id ?? '');
    const vector = Float32Array.of(1, 0, 0);
    await stores.documents.writeVectors(tenant, [{ passageId: passage?.id ?? '', vector }]);
    const [hits] = await Promise.all(stores.index.search(tenant, [aQuery(collection, '', { mode: 'VECTOR', vector })]));
    expect(hits?.[0]?.vectorScore).toBe(0);
  });

  it('are not filled with vectors of another length', async () => {
    const collection = await anyCollection();
    await stores.documents.write(tenant, collection.id, [aDocument('x', ['text'])]);
    const [document] = await listed(collection.id);
    const [passage] = await passagesOf(document?.id ?? '');
    const wrong = [{ passageId: passage?.id ?? '', vector: Float32Array.of(1, 2, 3, 4) }];
    await expect(stores.documents.writeVectors(tenant, wrong)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: `passage ${passage?.id}: expected a vector of length 3, got 4`,
    });
  });
});
