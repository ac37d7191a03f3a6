const numbers = /\d+(?:[.,:]\d+)*/g;
const negations = /\b(?:not|no|never|none|without|cannot)\b|n['’]t\b/gi;

/**
 * Whether two questions that mean nearly the same by their vectors may have one answer. Vectors hardly see a number or a "not", and
 * these change the answer: they must be the same in both.
 */
export function mayHaveOneAnswer(one: string, other: string): boolean {
  const numbersOf = (text: string) => (text.match(numbers) ?? []).sort().join(' ');
  const negationsOf = (text: string) => (text.match(negations) ?? []).length % 2;
  return numbersOf(one) === numbersOf(other) && negationsOf(one) === negationsOf(other);
}

/** From -1 to 1; of vectors of one length. */
export function cosine(one: Float32Array, other: Float32Array): number {
  let [dot, ones, others] = [0, 0, 0];
  for (let index = 0; index < one.length; index += 1) {
    const [a, b] = [one[index] ?? 0, other[index] ?? 0];
    dot += a * b;
    ones += a * a;
    others += b * b;
  }
  return ones === 0 || others === 0 ? 0 : dot / Math.sqrt(ones * others);
}
