import type { Candidate } from '../contracts/recommendation-index.ts';
import type { Evidence, Opinions } from './evidence.ts';
import { Nearness } from './nearness.ts';
import { popularityAt } from './popularity.ts';
import { unit } from './similarity.ts';

export interface Scored {
  readonly documentId: string;
  /** Of length 1; null while the document has none. */
  readonly vector: Float32Array | null;
  /** 0..1, comparable within one list only. */
  readonly score: number;
  /** What speaks for it, the strongest first. */
  readonly because: readonly Evidence[];
  readonly isPopular: boolean;
}

/** How fast a piece of evidence stops to count as a candidate is farther from it: the width of the kernel below. */
const width = 0.35;
/** So much evidence, in views of just now, is needed until taste counts as much as popularity … */
const evidenceForTaste = 0.5;
/** … which never counts less than this by itself. */
const leastPopularity = 0.05;
/** Of what suits them people take rather what others take: so much of its taste does an item lose that nobody else has touched. */
const crowd = 0.6;
/** As many views as this make something popular where nothing is more so: the whims of two people are no trend. */
const fewViews = 20;
/** So much is lost by being as near as can be to something disliked. */
const penalty = 0.6;
/** A dislike of just now, see evidence.ts: an older one takes less. */
const wholeDislike = 3;

/**
 * How well each candidate suits, in the order that they came in:
 *
 *     taste(c) = Σ weight(e) · exp((nearness(c, e) − 1) ÷ width), as a share of the highest of all candidates
 *     crowd(c) = 1 − crowd · (1 − popularity(c))
 *     score(c) = ((1 − p) · taste(c) · crowd(c) + p · popularity(c)) · (1 − penalty · the nearest dislike)
 *
 * A kernel, not a mean vector: what is near to one of the things that a person likes suits it, wherever its other likes lie. p falls
 * from 1, for somebody of whom nothing is known, as evidence grows.
 */
export function scoreAll(candidates: readonly Candidate[], opinions: Opinions, nowMs: number): Scored[] {
  const items = candidates.map(({ documentId, vector }) => ({ documentId, vector: vector && unit(vector) }));
  const nearness = new Nearness(items, opinions);
  const { likes, dislikes } = opinions;
  const tastes = sharesOf(
    Float64Array.from(items, (_, at) =>
      likes.reduce((sum, like, place) => sum + strengthOf(like, nearness.toLike(at, place)), 0),
    ),
  );
  const popularity = sharesOf(
    Float64Array.from(candidates, ({ popularity: level }) =>
      level === null ? 0 : Math.log1p(popularityAt(level, nowMs)),
    ),
    Math.log1p(fewViews),
  );
  const evidence = likes.reduce((sum, { weight }) => sum + weight, 0);
  const share = Math.max(leastPopularity, evidenceForTaste / (evidenceForTaste + evidence));
  return items.map(({ documentId, vector }, at) => {
    const [taste = 0, popular = 0] = [tastes[at], popularity[at]];
    const against = dislikes.reduce(
      (most, { weight }, place) => Math.max(most, Math.min(1, weight / wholeDislike) * nearness.toDislike(at, place)),
      0,
    );
    const suits = (1 - share) * taste * (1 - crowd * (1 - popular)) + share * popular;
    return {
      documentId,
      vector,
      score: suits * (1 - penalty * against),
      // Made when it is read: of many candidates few are shown.
      get because() {
        return reasonsOf(likes, (place) => nearness.toLike(at, place));
      },
      isPopular: popular > 0,
    };
  });
}

function strengthOf({ weight }: Evidence, near: number): number {
  return weight * Math.exp((near - 1) / width);
}

const mostReasons = 3;
/** A reason is so near at least, and so strong beside the strongest. */
const leastNearness = 0.25;
const leastStrength = 0.2;

function reasonsOf(likes: readonly Evidence[], nearnessTo: (place: number) => number): Evidence[] {
  const reasons = likes.map((like, place) => ({
    like,
    near: nearnessTo(place),
    strength: strengthOf(like, nearnessTo(place)),
  }));
  const strongest = Math.max(0, ...reasons.map(({ strength }) => strength));
  return reasons
    .filter(({ near, strength }) => near >= leastNearness && strength >= leastStrength * strongest)
    .toSorted((left, right) => right.strength - left.strength)
    .slice(0, mostReasons)
    .map(({ like }) => like);
}

/** Each as a share of the highest, or of `least` where none is so high; all 0 where there is none. */
function sharesOf(values: Float64Array, least = 0): Float64Array {
  const highest = values.reduce((most, value) => Math.max(most, value), least);
  return values.map((value) => (highest === 0 ? 0 : value / highest));
}
