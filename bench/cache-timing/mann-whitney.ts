/**
 * The two-sided p of Mann and Whitney's test that neither of two samples tends to be larger, by the normal approximation with mid-ranks
 * for ties (good from some twenty values on): small when their times differ.
 */
export function mannWhitney(one: readonly number[], other: readonly number[]): number {
  const all = [...one.map((value) => ({ value, isOne: true })), ...other.map((value) => ({ value, isOne: false }))];
  all.sort((left, right) => left.value - right.value);
  const count = all.length;
  let rankSum = 0;
  let ties = 0;
  for (let from = 0; from < count; ) {
    let to = from;
    while (to < count && all[to]?.value === all[from]?.value) to += 1;
    const rank = (from + 1 + to) / 2;
    rankSum += rank * all.slice(from, to).filter(({ isOne }) => isOne).length;
    ties += (to - from) ** 3 - (to - from);
    from = to;
  }
  const [n, m] = [one.length, other.length];
  const mean = (n * (count + 1)) / 2;
  const variance = ((n * m) / 12) * (count + 1 - ties / (count * (count - 1)));
  return variance === 0 ? 1 : 2 * (1 - normal(Math.abs(rankSum - mean) / Math.sqrt(variance)));
}

/** The normal distribution function, after Abramowitz and Stegun 26.2.17: within 7.5e-8. */
function normal(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const [b1, b2, b3, b4, b5] = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429] as const;
  const tail = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  return 1 - tail * (b1 * t + b2 * t ** 2 + b3 * t ** 3 + b4 * t ** 4 + b5 * t ** 5);
}
