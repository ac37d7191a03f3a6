const numbers = /\d+(?:[.,:]\d+)*/g;
const negations = /\b(?:not|no|never|none|without|cannot)\b|n['’]t\b/gi;

/** A capital within a sentence, or anywhere in the word: Norway, CSV, iPhone. */
const names = /(?<=[^\s.?!:]\s+)\p{Lu}[\p{L}\d-]+|\p{L}+\p{Lu}[\p{L}\d-]*/gu;
/** Of English: each pair is of words that stand in the same places and turn the answer round. */
const opposites =
  `enable disable, import export, open close, add remove, add delete, create delete, start stop, start end, largest smallest,
  biggest smallest, maximum minimum, most least, more less, before after, above below, increase decrease, upload download, buy sell, encrypt
  decrypt, lock unlock, allow forbid, allow block, accept reject, first last, oldest newest, earliest latest, install uninstall, connect
  disconnect, subscribe unsubscribe, upgrade downgrade, with without, inside outside, public private, sent received, send receive`
    .split(',')
    .map((pair) => pair.trim().split(/\s+/));

/**
 * Whether two questions that mean nearly the same by their vectors may have one answer. Vectors hardly see a number, a name, a "not", or
 * that a word was turned into its opposite, and these change the answer: they must be the same in both. What else tells two questions
 * apart is left to the threshold.
 */
export function mayHaveOneAnswer(one: string, other: string): boolean {
  const sameOf = (pattern: RegExp) => allOf(pattern, one).join(' ') === allOf(pattern, other).join(' ');
  const isNegated = (text: string) => allOf(negations, text).length % 2;
  return sameOf(numbers) && sameOf(names) && isNegated(one) === isNegated(other) && !areOpposed(one, other);
}

function allOf(pattern: RegExp, text: string): string[] {
  return [...new Set(text.match(pattern))].sort();
}

function areOpposed(one: string, other: string): boolean {
  const [ones, others] = [wordsOf(one), wordsOf(other)];
  return opposites.some(
    ([left = '', right = '']) =>
      (ones.has(left) && others.has(right) && !ones.has(right)) ||
      (ones.has(right) && others.has(left) && !ones.has(left)),
  );
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.toLowerCase().match(/\p{L}+/gu));
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
