/** What a ranking got for one query; all in 0..1. */
export interface Measures {
  readonly ndcg: number;
  readonly recall: number;
  readonly reciprocalRank: number;
}

/**
 * `ranked` are document ids, best first, each once; `grades` the judged ones. nDCG with gain 2^grade − 1 and discount
 * log2(position + 1), against the best possible order; recall counts every graded document alike.
 */
export function measure(ranked: readonly string[], grades: ReadonlyMap<string, number>, depth = 10): Measures {
  const head = ranked.slice(0, depth);
  if (new Set(head).size !== head.length) throw new Error('a ranking must list a document once');
  const found = head.filter((id) => grades.has(id)).length;
  const first = head.findIndex((id) => grades.has(id));
  const ideal = [...grades.values()].sort((left, right) => right - left).slice(0, depth);
  return {
    ndcg: discountedGain(head.map((id) => grades.get(id) ?? 0)) / discountedGain(ideal),
    recall: found / Math.min(grades.size, depth),
    reciprocalRank: first === -1 ? 0 : 1 / (first + 1),
  };
}

function discountedGain(grades: readonly number[]): number {
  return grades.reduce((sum, grade, index) => sum + (2 ** grade - 1) / Math.log2(index + 2), 0);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The p-th percentile (0..100) of a sample, by the nearest rank. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)] ?? Number.NaN;
}
