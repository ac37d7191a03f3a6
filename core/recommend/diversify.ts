import type { Scored } from './score.ts';
import { putDot } from './similarity.ts';

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
  // Flat, and by place: some ten thousand steps a page.
  const likeness = new Float64Array(candidates.length);
  const isLeft = new Uint8Array(candidates.length).fill(1);
  const cosine = new Float64Array(1);
  for (const { vector } of before) markLike(vector);
  const chosen: Scored[] = [];
  while (chosen.length < count) {
    const best = bestLeft();
    const next = candidates[best];
    if (next === undefined) break;
    chosen.push(next);
    isLeft[best] = 0;
    markLike(next.vector);
  }
  return chosen;

  /** -1 when none is. */
  function bestLeft(): number {
    let [best, bestValue] = [-1, -1];
    for (let place = 0; place < candidates.length; place += 1) {
      const value = (candidates[place]?.score ?? 0) * (1 - diversity * (likeness[place] ?? 0));
      if (isLeft[place] === 1 && value > bestValue) [best, bestValue] = [place, value];
    }
    return best;
  }

  function markLike(vector: Float32Array | null): void {
    if (vector === null) return;
    for (let place = 0; place < candidates.length; place += 1) {
      const other = candidates[place]?.vector ?? null;
      if (isLeft[place] === 0 || other === null) continue;
      putDot(cosine, 0, other, vector);
      likeness[place] = Math.max(likeness[place] ?? 0, cosine[0] ?? 0);
    }
  }
}
