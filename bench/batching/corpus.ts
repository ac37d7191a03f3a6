/** Deterministic random numbers in 0..1 (mulberry32), so that every run of the bench has the same texts. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const syllables = 'ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu bra cle dri flo gru'.split(' ');
const vocabularySize = 4_000;

/** Words as text has them: a few are everywhere, most are rare (Zipf's law). */
export class Words {
  readonly #random: () => number;
  readonly #vocabulary: readonly string[];

  constructor(seed: number) {
    this.#random = randomNumbers(seed);
    const word = () => Array.from({ length: 2 + Math.floor(this.#random() * 3) }, () => this.#syllable()).join('');
    this.#vocabulary = Array.from({ length: vocabularySize }, word);
  }

  sentence(words: number): string {
    const text = Array.from({ length: words }, () => this.#word()).join(' ');
    return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
  }

  /** Sentences of 8–20 words, about so many words in all: under the length of a passage, so one passage. */
  document(words: number): string {
    const sentences: string[] = [];
    for (let count = 0; count < words; ) {
      const length = Math.min(8 + Math.floor(this.#random() * 13), words - count);
      sentences.push(this.sentence(length));
      count += length;
    }
    return sentences.join(' ');
  }

  #word(): string {
    return this.#vocabulary[Math.floor(vocabularySize ** this.#random()) - 1] ?? 'word';
  }

  #syllable(): string {
    return syllables[Math.floor(this.#random() * syllables.length)] ?? 'ba';
  }
}
