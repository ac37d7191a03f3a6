import type { Evidence } from './evidence.ts';
import { dot, unit } from './similarity.ts';

const rounds = 4;

/**
 * A few vectors that stand for many: what a person likes is seldom one thing, and the mean of jazz and gardening is near to neither.
 * Weighted k-means on the sphere, from the points that are farthest from each other, the heaviest first; always the same for the
 * same evidence.
 */
export function facetsOf(evidence: readonly Pick<Evidence, 'vector' | 'weight'>[], most: number): Float32Array[] {
  let centres = farthest(evidence, most);
  if (centres.length === evidence.length) return centres;
  for (let round = 0; round < rounds; round += 1) {
    const sums = centres.map((centre) => new Float32Array(centre.length));
    for (const { vector, weight } of evidence) {
      const sum = sums[nearest(vector, centres)];
      for (let index = 0; sum !== undefined && index < sum.length; index += 1)
        sum[index] = (sum[index] ?? 0) + weight * (vector[index] ?? 0);
    }
    centres = sums.map(unit);
  }
  return centres;
}

function farthest(evidence: readonly Pick<Evidence, 'vector' | 'weight'>[], most: number): Float32Array[] {
  const [heaviest] = evidence.toSorted((left, right) => right.weight - left.weight);
  const centres = heaviest === undefined ? [] : [heaviest.vector];
  while (centres.length < Math.min(most, evidence.length)) {
    const distances = evidence.map(({ vector }) => 1 - Math.max(...centres.map((centre) => dot(centre, vector))));
    const next = evidence[distances.indexOf(Math.max(...distances))];
    if (next === undefined) break;
    centres.push(next.vector);
  }
  return centres;
}

function nearest(vector: Float32Array, centres: readonly Float32Array[]): number {
  const cosines = centres.map((centre) => dot(centre, vector));
  return cosines.indexOf(Math.max(...cosines));
}
