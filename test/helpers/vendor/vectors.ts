/** Words that say nothing about what a text is about. */
const stopWords = new Set(
  'a an and are as at be but by can do does for from had has have how i if in into is it its of on or our so than that the their them then there these they this to was we were what when where which who why will with you your'.split(
    ' ',
  ),
);

const suffixes = ['ations', 'ation', 'ingly', 'ings', 'ing', 'edly', 'ies', 'ers', 'er', 'ed', 'es', 'ly', 's'];

/**
 * A vector that means something and is always the same: a hashed bag of word stems, of length 1. Texts that share words are
 * near to each other, and the more so the rarer what they have besides; a text without any word gets a vector of its own.
 */
export function vectorOf(text: string, dimensions: number): Float32Array {
  const counts = new Map<string, number>();
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const telling = words.filter((word) => !stopWords.has(word));
  for (const word of telling.length > 0 ? telling : words.length > 0 ? words : [text]) {
    const stem = stemOf(word);
    counts.set(stem, (counts.get(stem) ?? 0) + 1);
  }
  const vector = new Float32Array(dimensions);
  for (const [stem, times] of counts) {
    const weight = 1 + Math.log(times);
    // Two places with a sign each, so that a collision of two words is rarely a collision of both places.
    for (const salt of [0x811c9dc5, 0x01000193]) {
      const hash = hashOf(stem, salt);
      const place = (hash >>> 1) % dimensions;
      vector[place] = (vector[place] ?? 0) + (hash & 1 ? weight : -weight);
    }
  }
  const length = Math.hypot(...vector);
  // All places can cancel out in very short vectors only; then any fixed direction will do.
  if (length === 0) vector[0] = 1;
  else for (let index = 0; index < dimensions; index++) vector[index] = (vector[index] ?? 0) / length;
  return vector;
}

/** Without its ending: swims, swimming and swim are one, and so are cache and caching. */
function stemOf(word: string): string {
  const suffix = suffixes.find((ending) => word.endsWith(ending) && word.length - ending.length >= 3);
  const stem = suffix === undefined ? word : word.slice(0, -suffix.length).replace(/([^aeiouls])\1$/, '$1');
  return stem.length > 3 ? stem.replace(/e$/, '') : stem;
}

/** FNV-1a, mixed once more so that its low bits are as good as the others. */
function hashOf(text: string, seed: number): number {
  let hash = seed;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
