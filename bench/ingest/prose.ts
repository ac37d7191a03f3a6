import { readdir, readFile } from 'node:fs/promises';
import { randomNumbers } from '../batching/corpus.ts';

const folders = [new URL('../ranking/corpus/', import.meta.url), new URL('../../docs/', import.meta.url)];

/**
 * Texts that are wordy like prose and all differ: sentences of words drawn as often as they stand in the texts that the project
 * ships. The same seed gives the same texts.
 */
export async function createProse(seed: number): Promise<{ title(): string; text(words: number): string }> {
  const random = randomNumbers(seed);
  const words = (await shippedText()).match(/[a-z]{1,14}/gi)?.map((word) => word.toLowerCase()) ?? [];
  if (words.length < 10_000) throw new Error(`expected at least 10000 words in the shipped texts, got ${words.length}`);
  const between = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
  const sentence = (length: number) => {
    const drawn = Array.from({ length }, () => words[Math.floor(random() * words.length)]).join(' ');
    return `${drawn.charAt(0).toUpperCase()}${drawn.slice(1)}`;
  };
  return {
    title: () => sentence(between(3, 6)),
    text(count) {
      const sentences: string[] = [];
      for (let left = count; left > 0; ) {
        const length = left < 8 ? left : Math.min(left, between(6, 22));
        sentences.push(`${sentence(length)}.`);
        left -= length;
      }
      return sentences.join(' ');
    },
  };
}

async function shippedText(): Promise<string> {
  const texts: string[] = [];
  for (const folder of folders) {
    for (const name of (await readdir(folder)).filter((file) => /\.(jsonl|md)$/.test(file)).sort()) {
      texts.push(await readFile(new URL(name, folder), 'utf8'));
    }
  }
  return texts.join('\n');
}
