import { mean, percentile } from './measures.ts';

export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The 95 % interval of a mean difference by the paired bootstrap: queries are drawn with replacement, and each brings
 * both of its results, so that hard queries cancel out. The draws are seeded: the same results give the same interval.
 */
export function pairedInterval(differences: readonly number[], draws = 10_000): Interval {
  const random = mulberry32(differences.length);
  const means = Array.from({ length: draws }, () => {
    let sum = 0;
    for (let count = 0; count < differences.length; count += 1) {
      sum += differences[Math.floor(random() * differences.length)] ?? 0;
    }
    return sum / differences.length;
  });
  return { mean: mean(differences), low: percentile(means, 2.5), high: percentile(means, 97.5) };
}

/** A small, well-mixed generator with a 32-bit state (Tommy Ettinger's mulberry32): Math.random cannot be seeded. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
