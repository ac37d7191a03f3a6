import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../adapters/postgres/database.ts';
import { sql } from '../../../adapters/postgres/drizzle.ts';
import { postgresProfileStore } from '../../../adapters/postgres/profile-store.ts';
import { postgresRecommendationIndex } from '../../../adapters/postgres/recommendation-index.ts';
import type { CollectionRecord } from '../../../core/contracts/collection-store.ts';
import type { NewInteraction, ProfileStore } from '../../../core/contracts/profile-store.ts';
import type { RecommendationIndex } from '../../../core/contracts/recommendation-index.ts';
import { aDocument, makeCollection, type RetrievalStores, retrievalStores } from '../../helpers/search-corpus.ts';
import { openTestDatabase } from '../../helpers/test-database.ts';

const tenant = 'shopkeeper';
let database: Database & AsyncDisposable;
let stores: RetrievalStores;
let profiles: ProfileStore;
let index: RecommendationIndex;
let animals: CollectionRecord;
beforeAll(async () => {
  database = await openTestDatabase();
  stores = retrievalStores(database);
  profiles = postgresProfileStore(database);
  index = postgresRecommendationIndex(database);
  animals = await makeCollection(stores, tenant, 'animals');
  await stores.documents.write(tenant, animals.id, [
    aDocument('cat', [
      ['The cat sleeps.', [1, 0, 0]],
      ['It purrs.', [0, 1, 0]],
    ]),
    aDocument('lion', [['Lions hunt.', [0.9, 0.1, 0]]], { metadata: { wild: true } }),
    aDocument('dog', [['The dog barks.', [0.1, 1, 0]]]),
    aDocument('eagle', [['An eagle circles.', [0, 0, 1]]], { metadata: { wild: true } }),
    aDocument('owl', ['The owl has no vector yet.'], { metadata: { wild: true } }),
  ]);
});
afterAll(() => database[Symbol.asyncDispose]());

const someone = (of = tenant) =>
  profiles.upsert(of, { externalId: randomUUID(), interests: ['birds'], metadata: { plan: 'free' } });
const did = (externalId: string, kind: NewInteraction['kind'], rest: Partial<NewInteraction> = {}): NewInteraction => ({
  ...{ id: randomUUID(), externalId, kind, at: new Date(), popularity: null },
  ...rest,
});
const record = (profileId: string, ...interactions: NewInteraction[]) =>
  profiles.record(tenant, { profileId, collectionId: animals.id, interactions });
const query = (profileId: string, rest: object = {}) => ({
  ...{ profileId, collectionId: animals.id, vectors: [], filter: null, limit: 100 },
  ...rest,
});
/** External ids in the order of documents' ids. */
async function namesOf(ids: readonly string[]): Promise<string[]> {
  const found = await stores.documents.byIds(tenant, ids);
  return ids.map((id) => found.find((document) => document.id === id)?.externalId ?? id);
}
async function candidatesOf(profileId: string, rest: object = {}): Promise<string[]> {
  const [candidates] = await index.candidates(tenant, [query(profileId, rest)]);
  return namesOf(candidates?.map(({ documentId }) => documentId) ?? []);
}

describe('profiles', () => {
  it('keep what an upsert leaves out, and their id', async () => {
    const made = await someone();
    const changed = await profiles.upsert(tenant, { externalId: made.externalId, interests: null, metadata: { a: 1 } });
    expect(changed).toEqual({ ...made, metadata: { a: 1 } });
    expect(await profiles.upsert(tenant, { externalId: made.externalId, interests: [], metadata: null })).toEqual({
      ...changed,
      interests: [],
    });
    expect(await profiles.byExternalIds(tenant, [made.externalId])).toHaveLength(1);
  });

  it('are their tenant’s: others neither see, change nor delete them', async () => {
    const mine = await someone();
    const theirs = await profiles.upsert('other', { externalId: mine.externalId, interests: null, metadata: null });
    expect(theirs.id).not.toBe(mine.id);
    expect(theirs.interests).toEqual([]);
    await record(mine.id, did('cat', 'LIKE'));
    expect(await profiles.byIds('other', [mine.id])).toEqual([]);
    expect((await profiles.interactionCounts('other', [mine.id])).size).toBe(0);
    expect(
      await profiles.record('other', {
        profileId: mine.id,
        collectionId: animals.id,
        interactions: [did('cat', 'VIEW')],
      }),
    ).toBeNull();
    expect(await profiles.delete('other', mine.id)).toBe(false);
    expect(await index.tastes('other', [query(mine.id)])).toEqual([null]);
    expect(await index.candidates('other', [query(mine.id, { vectors: [Float32Array.of(1, 0, 0)] })])).toEqual([[]]);
    expect((await profiles.interactionCounts(tenant, [mine.id])).get(mine.id)).toBe(1);
  });

  it('take their interactions with them', async () => {
    const gone = await someone();
    await record(gone.id, did('cat', 'LIKE'));
    expect(await profiles.delete(tenant, gone.id)).toBe(true);
    expect(await profiles.delete(tenant, gone.id)).toBe(false);
    expect(await record(gone.id, did('cat', 'LIKE'))).toBeNull();
    const left = await database.query('left', sql`select 1 from interactions where profile_id = ${gone.id}::uuid`);
    expect(left).toEqual([]);
  });
});

describe('interactions', () => {
  it('are recorded once for each id, and name the documents that are not there', async () => {
    const ann = await someone();
    const seen = did('cat', 'VIEW');
    expect(await record(ann.id, seen, did('unicorn', 'LIKE'), did('dog', 'LIKE'))).toEqual({
      recorded: 2,
      unknown: ['unicorn'],
    });
    expect(await record(ann.id, seen, did('griffin', 'LIKE'), did('griffin', 'VIEW'))).toEqual({
      recorded: 0,
      unknown: ['griffin'],
    });
    expect((await profiles.interactionCounts(tenant, [ann.id])).get(ann.id)).toBe(2);
  });

  it('are told by document, with the last date of each kind and the direction of the mean of its passages', async () => {
    const ben = await someone();
    const [early, late] = [new Date('2026-01-01T00:00:00Z'), new Date('2026-02-01T00:00:00Z')];
    await record(
      ben.id,
      did('cat', 'VIEW', { at: late }),
      did('cat', 'VIEW', { at: early }),
      did('cat', 'PURCHASE', { at: early }),
    );
    await record(ben.id, did('owl', 'DISLIKE', { at: early }));
    const [taste, nobody] = await index.tastes(tenant, [query(ben.id), query(randomUUID())]);
    expect(nobody).toBeNull();
    expect(taste?.interests).toEqual(['birds']);
    const names = await namesOf(taste?.deeds.map(({ documentId }) => documentId) ?? []);
    const of = (name: string) => taste?.deeds[names.indexOf(name)];
    expect(of('cat')?.at).toEqual({ VIEW: late, LIKE: null, DISLIKE: null, PURCHASE: early });
    // Of length 1, in 16-bit floats.
    const [east = 0, north = 0, up] = of('cat')?.vector ?? [];
    expect(east).toBeCloseTo(Math.SQRT1_2, 3);
    expect([north, up]).toEqual([east, 0]);
    expect(of('owl')).toMatchObject({ at: { DISLIKE: early }, vector: null });
  });

  it('add up to a popularity that counts each person once and knows no order', async () => {
    const collection = await makeCollection(stores, tenant, randomUUID());
    await stores.documents.write(tenant, collection.id, [
      aDocument('a', ['a']),
      aDocument('b', ['b']),
      aDocument('c', ['c']),
    ]);
    const view = (externalId: string, level: number) => did(externalId, 'VIEW', { popularity: level });
    const add = async (...interactions: NewInteraction[]) =>
      profiles.record(tenant, { profileId: (await someone()).id, collectionId: collection.id, interactions });
    // Two of 2^10 are one of 2^11; one that is long ago adds nothing, whenever it comes.
    await add(view('a', 10), view('a', 10), view('b', -5_000));
    await add(view('a', 10), view('b', 10));
    const [candidates] = await index.candidates(tenant, [
      { ...query((await someone()).id), collectionId: collection.id },
    ]);
    const names = await namesOf(candidates?.map(({ documentId }) => documentId) ?? []);
    expect(names.map((name, place) => [name, candidates?.[place]?.popularity ?? null])).toEqual([
      ['a', expect.closeTo(11, 9)],
      ['b', expect.closeTo(10, 9)],
      ['c', null],
    ]);
  });

  it('go with their documents', async () => {
    const collection = await makeCollection(stores, tenant, randomUUID());
    await stores.documents.write(tenant, collection.id, [aDocument('a', ['a'])]);
    const kim = await someone();
    await profiles.record(tenant, {
      ...{ profileId: kim.id, collectionId: collection.id },
      interactions: [did('a', 'LIKE', { popularity: 1 })],
    });
    await stores.collections.delete(tenant, collection.name);
    for (const table of [sql`interactions`, sql`document_popularity`])
      expect(
        await database.query('left', sql`select 1 from ${table} where collection_id = ${collection.id}::uuid`),
      ).toEqual([]);
  });

  it('may be recorded by many at once', async () => {
    const people = await Promise.all(Array.from({ length: 8 }, () => someone()));
    const both = [did('cat', 'LIKE', { popularity: 1 }), did('dog', 'LIKE', { popularity: 1 })];
    const results = await Promise.all(
      people.map(({ id }, place) =>
        record(id, ...(place % 2 ? both : both.toReversed()).map((each) => ({ ...each, id: randomUUID() }))),
      ),
    );
    expect(results.map((result) => result?.recorded)).toEqual(people.map(() => 2));
  });
});

describe('candidates', () => {
  it('are near to one of the vectors, and then the others; what is known is left out, what was seen is not', async () => {
    const eve = await someone();
    await record(eve.id, did('dog', 'VIEW'), did('cat', 'PURCHASE'));
    const near = await candidatesOf(eve.id, { vectors: [Float32Array.of(0, 0, 1), Float32Array.of(0, 1, 0)] });
    expect(near.slice(0, 2).toSorted()).toEqual(['dog', 'eagle']);
    expect(near.toSorted()).toEqual(['dog', 'eagle', 'lion', 'owl']);
    await record(eve.id, did('eagle', 'DISLIKE'), did('owl', 'LIKE'));
    expect((await candidatesOf(eve.id)).toSorted()).toEqual(['dog', 'lion']);
  });

  it('hold to filters and limits, each profile to its own', async () => {
    const [fay, gus] = [await someone(), await someone()];
    const wild = { op: 'equals', path: 'wild', value: true } as const;
    const [all, filtered, two] = await index.candidates(tenant, [
      query(fay.id),
      query(gus.id, { filter: wild, vectors: [Float32Array.of(1, 0, 0)] }),
      query(gus.id, { limit: 2, vectors: [Float32Array.of(0, 0, 1)] }),
    ]);
    expect(all).toHaveLength(5);
    expect((await namesOf(filtered?.map(({ documentId }) => documentId) ?? [])).slice(0, 1)).toEqual(['lion']);
    expect(filtered).toHaveLength(3);
    expect(two).toHaveLength(2);
    // A vector is sent once, and is there for all.
    const vectors = [all, filtered, two].flatMap((list) => list?.map(({ vector }) => vector?.length ?? 0) ?? []);
    expect(vectors.filter((length) => length === 3)).toHaveLength(10 - 2);
  });
});
