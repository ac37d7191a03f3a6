import { describe, expect, it } from 'vitest';
import { pairedInterval } from '../../bench/ranking/bootstrap.ts';
import { readCollection } from '../../bench/ranking/collection.ts';
import { measure, percentile } from '../../bench/ranking/measures.ts';

const grades = new Map([
  ['a', 3],
  ['b', 1],
]);

describe('the measures of a ranking', () => {
  it('give 1 for the best possible order, whatever follows it', () => {
    expect(measure(['a', 'b', 'x', 'y'], grades)).toEqual({ ndcg: 1, recall: 1, reciprocalRank: 1 });
  });

  it('give 0 for a ranking that finds nothing', () => {
    expect(measure(['x', 'y'], grades)).toEqual({ ndcg: 0, recall: 0, reciprocalRank: 0 });
    expect(measure([], grades)).toEqual({ ndcg: 0, recall: 0, reciprocalRank: 0 });
  });

  it('follow the formula of nDCG with gain 2^grade − 1', () => {
    // (1/log2(2) + 7/log2(4)) / (7/log2(2) + 1/log2(3)) = (1 + 3.5) / (7 + 0.63093)
    const { ndcg, recall, reciprocalRank } = measure(['b', 'x', 'a'], grades);
    expect(ndcg).toBeCloseTo(4.5 / 7.63093, 5);
    expect(recall).toBe(1);
    expect(reciprocalRank).toBe(1);
  });

  it('look at the first ten only', () => {
    const ranked = [...Array.from({ length: 10 }, (_, index) => `x${index}`), 'a'];
    expect(measure(ranked, grades)).toEqual({ ndcg: 0, recall: 0, reciprocalRank: 0 });
  });

  it('refuse a ranking that lists a document twice', () => {
    expect(() => measure(['a', 'a'], grades)).toThrow('once');
  });

  it('take the nearest rank as percentile', () => {
    expect(percentile([5, 1, 4, 2, 3], 50)).toBe(3);
    expect(percentile([5, 1, 4, 2, 3], 100)).toBe(5);
    expect(percentile([7], 2.5)).toBe(7);
  });
});

describe('the paired bootstrap', () => {
  it('excludes zero when one ranking is better on nearly every query', () => {
    const differences = Array.from({ length: 100 }, (_, index) => (index % 10 === 0 ? -0.1 : 0.2));
    const interval = pairedInterval(differences);
    expect(interval.mean).toBeCloseTo(0.17);
    expect(interval.low).toBeGreaterThan(0.14);
    expect(interval.high).toBeLessThan(0.2);
  });

  it('includes zero when gains and losses cancel out', () => {
    const { low, high } = pairedInterval(Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? 0.3 : -0.3)));
    expect(low).toBeLessThan(0);
    expect(high).toBeGreaterThan(0);
  });

  it('gives the same interval for the same results', () => {
    const differences = [0.1, -0.2, 0.4, 0, 0.3];
    expect(pairedInterval(differences)).toEqual(pairedInterval(differences));
  });
});

describe('the judged collection', () => {
  it('has enough queries of each kind, and judges nothing but its own documents', async () => {
    const { documents, queries } = await readCollection();
    const count = (kind: string) => queries.filter((query) => query.kind === kind).length;
    expect(documents.length).toBeGreaterThanOrEqual(150);
    expect(Math.min(count('question'), count('paraphrase'), count('keyword'))).toBeGreaterThanOrEqual(30);
    expect(queries.every((query) => [...query.relevant.values()].includes(3) || query.relevant.size > 1)).toBe(true);
  });
});
