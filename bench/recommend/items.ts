import { Words } from '../batching/corpus.ts';

/** One thing of the shop: what it is about, how well known it is, and its text. */
export interface Item {
  readonly externalId: string;
  readonly title: string;
  readonly text: string;
  readonly topic: number;
  /** Share of all interest in its topic that goes to it; long-tailed. */
  readonly fame: number;
}

export const topics = 40;
const topicsPerField = 5;

/**
 * Items of forty topics, five of which are a field. A text has words of its topic, some of its field, and more that are
 * everybody's: texts of a topic are near to each other, and not the same. Few items are known to many (Zipf).
 */
export function makeItems(count: number, random: () => number): Item[] {
  const language = new Words(7);
  const words = (many: number): string[] =>
    Array.from({ length: many }, () => language.sentence(1).toLowerCase().slice(0, -1));
  const ofTopic = Array.from({ length: topics }, () => words(16));
  const ofField = Array.from({ length: topics / topicsPerField }, () => words(14));
  const some = (pool: readonly string[], many: number): string[] =>
    Array.from({ length: many }, () => pool[Math.floor(random() * pool.length)] ?? '');
  const ranks = shuffled(
    Array.from({ length: count }, (_, index) => index + 1),
    random,
  );
  return Array.from({ length: count }, (_, index) => {
    const topic = index % topics;
    const own = ofTopic[topic] ?? [];
    const field = ofField[Math.floor(topic / topicsPerField)] ?? [];
    const text = shuffled([...some(own, 12), ...some(field, 7), ...words(14)], random).join(' ');
    const title = some(own, 2).join(' ');
    return { externalId: `item-${index}`, title, text: `${text}.`, topic, fame: 1 / (ranks[index] ?? 1) ** 0.8 };
  });
}

export function shuffled<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((item) => ({ item, key: random() }))
    .toSorted((left, right) => left.key - right.key)
    .map(({ item }) => item);
}
