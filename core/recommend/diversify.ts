import type { Scored } from './score.ts';
import { dot } from './similarity.ts';

/**
 * Maximal marginal relevance (Carbonell and Goldstein 1998), by factors: one after the other, the candidate whose score is highest
 * after the likeness to what was chosen before it is taken off. `diversity` 0: by score alone; 1: nothing like what is there
 * already. `before` was chosen before, in whatever order: pages fit together. Ties keep their order.
 */
export function diversify(
  candidates: readonly Scored[],
  {
    before,
    count,
    diversity,
  }: { readonly before: readonly Scored[]; readonly count: number; readonly diversity: number },
): Scored[] {
  const left = candidates.map((candidate) => ({ candidate, likeness: 0 }));
  for (const { vector } of before) markLike(vector);
  const chosen: Scored[] = [];
  while (chosen.length < count && left.length > 0) {
    let best = 0;
    let bestValue = -1;
    for (const [place, { candidate, likeness }] of left.entries()) {
      const value = candidate.score * (1 - diversity * likeness);
      if (value > bestValue) [best, bestValue] = [place, value];
    }
    const [next] = left.splice(best, 1);
    if (next === undefined) break;
    chosen.push(next.candidate);
    markLike(next.candidate.vector);
  }
  return chosen;

  function markLike(vector: Float32Array | null): void {
    if (vector === null) return;
    for (const other of left) {
      if (other.candidate.vector !== null)
        other.likeness = Math.max(other.likeness, dot(other.candidate.vector, vector));
    }
  }
}
