import { describe, expect, it } from 'vitest';
import type { InteractionKind } from '../../../core/contracts/profile-store.ts';
import type { Candidate, Deed } from '../../../core/contracts/recommendation-index.ts';
import { composeExplanation } from '../../../core/recommend/compose-explanation.ts';
import { diversify } from '../../../core/recommend/diversify.ts';
import { opinionsOf } from '../../../core/recommend/evidence.ts';
import { facetsOf } from '../../../core/recommend/facets.ts';
import { popularityAt, popularityLevel } from '../../../core/recommend/popularity.ts';
import { scoreAll } from '../../../core/recommend/score.ts';
import { nothingShown, shownBefore } from '../../../core/recommend/shown-items.ts';

const nowMs = Date.parse('2026-06-01T00:00:00Z');
const ago = (days: number): Date => new Date(nowMs - days * 86_400_000);
const never: Deed['at'] = { VIEW: null, LIKE: null, DISLIKE: null, PURCHASE: null };
const deed = (
  documentId: string,
  vector: readonly number[] | null,
  at: Partial<Record<InteractionKind, Date>>,
): Deed => ({
  ...{ documentId, vector: vector && Float32Array.from(vector) },
  at: { ...never, ...at },
});
const opinions = (deeds: readonly Deed[], halfLifeDays = 30) => opinionsOf(deeds, [], { nowMs, halfLifeDays });
const candidate = (
  documentId: string,
  vector: readonly number[] | null,
  popularity: number | null = null,
): Candidate => ({
  ...{ documentId, vector: vector && Float32Array.from(vector), popularity },
});

describe('evidence', () => {
  it('fades by half with each half-life, and repeats of other kinds add up', () => {
    const weights = opinions([
      deed('new', [1, 0], { VIEW: ago(0) }),
      deed('old', [1, 0], { VIEW: ago(30) }),
      deed('all', [1, 0], { VIEW: ago(0), LIKE: ago(0), PURCHASE: ago(0) }),
      deed('tomorrow', [1, 0], { VIEW: ago(-1) }),
    ]).likes.map(({ of, weight }) => ['documentId' in of ? of.documentId : '', weight]);
    expect(Object.fromEntries(weights)).toEqual({ new: 1, old: 0.5, all: 9, tomorrow: 1 });
  });

  it('takes the newer of a like and a dislike, and a dislike over a view or a purchase', () => {
    const { likes, dislikes } = opinions([
      deed('forgiven', [1, 0], { DISLIKE: ago(2), LIKE: ago(1) }),
      deed('spoiled', [1, 0], { LIKE: ago(2), DISLIKE: ago(1) }),
      deed('regretted', [1, 0], { PURCHASE: ago(1), DISLIKE: ago(2) }),
      deed('without a vector', null, { LIKE: ago(1) }),
    ]);
    expect(likes.map(({ of }) => of)).toEqual([{ documentId: 'forgiven', kind: 'LIKE' }]);
    expect(dislikes).toHaveLength(2);
  });

  it('gives all interests together no more than three likes', () => {
    const interests = Array.from({ length: 9 }, (_, n) => ({ interest: `${n}`, vector: Float32Array.of(1, n) }));
    const { likes } = opinionsOf([], interests, { nowMs, halfLifeDays: 30 });
    expect(likes.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(9);
  });
});

describe('facets', () => {
  it('keep tastes apart that a mean would lose, and are the same every time', () => {
    const points = [
      [1, 0.1, 0],
      [1, 0.2, 0],
      [0, 0.1, 1],
      [0, 0.2, 1],
    ].map((vector) => ({ vector: Float32Array.from(vector), weight: 1 }));
    const facets = facetsOf(points, 2);
    expect(facets).toHaveLength(2);
    expect(Math.max(...facets.map(([x = 0]) => x))).toBeGreaterThan(0.9);
    expect(Math.max(...facets.map(([, , z = 0]) => z))).toBeGreaterThan(0.9);
    expect(facetsOf(points, 2)).toEqual(facets);
    expect(facetsOf([], 3)).toEqual([]);
    expect(facetsOf(points.slice(0, 1), 3)).toHaveLength(1);
  });
});

describe('the score', () => {
  const shelf = [
    candidate('near', [1, 0.1, 0]),
    candidate('far', [0, 1, 0]),
    candidate('farther', [0, 0, 1]),
    candidate('bare', null),
  ];

  it('is 0..1 and highest for what is near to a like, which is its reason', () => {
    const like = deed('liked', [1, 0, 0], { LIKE: ago(0) });
    const scored = scoreAll(shelf, opinions([like]), nowMs);
    expect(scored.map(({ documentId }) => documentId)).toEqual(shelf.map(({ documentId }) => documentId));
    const [near, ...others] = scored;
    for (const { score } of scored) expect(score >= 0 && score <= 1).toBe(true);
    expect(near?.score).toBeGreaterThan(Math.max(...others.map(({ score }) => score)));
    expect(near?.because.map(({ of }) => of)).toEqual([{ documentId: 'liked', kind: 'LIKE' }]);
    expect(others.flatMap(({ because }) => because)).toEqual([]);
  });

  it('does not take a document as evidence for itself', () => {
    const [near] = scoreAll(shelf, opinions([deed('near', [1, 0.1, 0], { VIEW: ago(0) })]), nowMs);
    expect(near?.because).toEqual([]);
  });

  it('loses by being near to a dislike, the more the newer that is', () => {
    const like = deed('liked', [1, 0, 0], { LIKE: ago(0) });
    const scoreWith = (...deeds: Deed[]) => scoreAll(shelf, opinions([like, ...deeds]), nowMs)[0]?.score ?? 0;
    const disliked = (days: number) => scoreWith(deed('disliked', [1, 0.1, 0.05], { DISLIKE: ago(days) }));
    expect(disliked(0)).toBeLessThan(disliked(60));
    expect(disliked(60)).toBeLessThan(scoreWith());
  });

  it('is popularity alone for somebody of whom nothing is known', () => {
    const crowd = [candidate('a', [1, 0], 1), candidate('b', [0, 1], 5), candidate('c', [0, 1])];
    const scored = scoreAll(crowd, opinions([]), 0);
    expect(scored.toSorted((left, right) => right.score - left.score).map(({ documentId }) => documentId)).toEqual([
      'b',
      'a',
      'c',
    ]);
    expect(scored.map(({ isPopular }) => isPopular)).toEqual([true, true, false]);
  });

  it('stands vectors of zeros and lists of one', () => {
    const one = scoreAll([candidate('zero', [0, 0])], opinions([deed('zeros', [0, 0], { LIKE: ago(0) })]), nowMs);
    expect(Number.isFinite(one[0]?.score)).toBe(true);
    expect(scoreAll([], opinions([]), nowMs)).toEqual([]);
  });
});

describe('diversity', () => {
  const scored = (documentId: string, score: number, vector: readonly number[]) => ({
    ...{ documentId, score, vector: Float32Array.from(vector), because: [], isPopular: false },
  });
  const list = [
    scored('a', 1, [1, 0]),
    scored('twin', 0.9, [1, 0]),
    scored('b', 0.6, [0, 1]),
    scored('zero', 0, [0, 1]),
  ];
  const ids = (diversity: number, count = 4) =>
    diversify(list, { before: [], count, diversity }).map(({ documentId }) => documentId);

  it('puts what is like the items before it behind, as far as it is told to', () => {
    expect(ids(0)).toEqual(['a', 'twin', 'b', 'zero']);
    expect(ids(0.5)).toEqual(['a', 'b', 'twin', 'zero']);
    expect(ids(1, 2)).toEqual(['a', 'b']);
  });

  it('goes on from what was shown as if it had been chosen here', () => {
    const [first, ...rest] = list;
    const before = first === undefined ? [] : [first];
    expect(diversify(rest, { before, count: 3, diversity: 0.5 }).map(({ documentId }) => documentId)).toEqual(
      ids(0.5).slice(1),
    );
  });
});

describe('popularity', () => {
  it('is what happened, half as much a half-life later, whenever it is asked', () => {
    const level = popularityLevel('PURCHASE', ago(0)) ?? Number.NaN;
    expect(popularityAt(level, nowMs)).toBeCloseTo(5, 6);
    expect(popularityAt(level, nowMs + 30 * 86_400_000)).toBeCloseTo(2.5, 6);
    expect(popularityLevel('DISLIKE', ago(0))).toBeNull();
  });
});

describe('what was shown', () => {
  it('is in the cursor, and only in that of its list', () => {
    const [first, second] = ['0a1b2c3d-0000-4000-8000-000000000000', 'ffffffff-0000-4000-8000-000000000000'];
    const shown = shownBefore('list', nothingShown.cursor('list', [first]));
    expect([shown.has(first), shown.has(second), shown.isEmpty]).toEqual([true, false, false]);
    expect(shownBefore('list', shown.cursor('list', [second])).has(first)).toBe(true);
    expect(() => shownBefore('another', nothingShown.cursor('list', [first]))).toThrow(/of another list/);
  });
});

describe('a composed sentence', () => {
  const like = (documentId: string, kind: 'LIKE' | 'VIEW' = 'LIKE') => ({
    of: { documentId, kind },
    vector: new Float32Array(),
    weight: 1,
  });
  const interest = { of: { interest: 'jazz' }, vector: new Float32Array(), weight: 1 };
  const say = (because: Parameters<typeof composeExplanation>[0]['because'], isPopular = false) =>
    composeExplanation({ because, isPopular }, (id) => (id === 'gone' ? null : id.toUpperCase()));

  it('names what speaks for the item, and nothing that is gone', () => {
    expect(say([like('a'), like('b'), like('c')])).toBe('Because you liked “A” and “B”.');
    expect(say([like('a', 'VIEW'), like('b'), interest])).toBe(
      'Because you looked at “A”, and it matches your interest in jazz.',
    );
    expect(say([like('gone'), interest])).toBe('It matches your interest in jazz.');
    expect(say([], true)).toBe('Popular with others at the moment.');
    expect(say([like('gone')])).toBe('New here.');
  });
});
