import { expect, it } from 'vitest';
import { ArrivingHits, type PlacedHitRow } from '../../../adapters/postgres/arriving-hits.ts';

const row = (ordinal: number, place: number, count: number): PlacedHitRow => ({
  ...{ ordinal, place, count, score: 1, keyword: null, similarity: null },
  ...{ passage_id: `${ordinal}.${place}`, position: 0, text: '', document_id: '', collection_id: '', external_id: '' },
  ...{ title: null, url: null, metadata: {}, created_at: new Date(0), updated_at: new Date(0) },
});

/** The ids of each query's hits that are there; null for a query that is still waited for. */
function now(arriving: ArrivingHits): Promise<(string[] | null)[]> {
  const soFar = arriving.ofEach().map((hits) => Promise.race([hits, Promise.resolve(null)]));
  return Promise.all(soFar.map(async (hits) => (await hits)?.map(({ passage }) => passage.id) ?? null));
}

it('are there when the last row of their query is, in whatever order rows come', async () => {
  const arriving = new ArrivingHits(3);
  for (const each of [row(1, 2, 2), row(0, 1, 2), row(1, 1, 2)]) arriving.add(each);
  expect(await now(arriving)).toEqual([null, ['1.1', '1.2'], null]);
  arriving.add(row(0, 2, 2));
  expect(await now(arriving)).toEqual([['0.1', '0.2'], ['1.1', '1.2'], null]);
  arriving.end();
  expect(await now(arriving)).toEqual([['0.1', '0.2'], ['1.1', '1.2'], []]);
});

it('stay where they were whole before the statement failed', async () => {
  const arriving = new ArrivingHits(2);
  arriving.add(row(0, 1, 1));
  arriving.add(row(1, 1, 2));
  arriving.fail(new Error('the connection broke'));
  const settled = await Promise.allSettled(arriving.ofEach());
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
});

it('are not all there before the statement has ended', async () => {
  const arriving = new ArrivingHits(1);
  arriving.add(row(0, 1, 1));
  expect(await now(arriving)).toEqual([null]);
  arriving.end();
  expect(await now(arriving)).toEqual([['0.1']]);
});
