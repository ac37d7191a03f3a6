import { type Item, shuffled, topics } from './items.ts';

export interface Interaction {
  readonly item: Item;
  readonly kind: 'VIEW' | 'LIKE' | 'DISLIKE' | 'PURCHASE';
  readonly daysAgo: number;
}

export interface Person {
  readonly externalId: string;
  /** What the gateway is told. */
  readonly past: readonly Interaction[];
  /** What the person takes next: none of it is in its past. */
  readonly future: readonly Item[];
}

const futureItems = 5;
const noise = 0.15;

/**
 * People with two to four tastes, of unequal weight; a third of them had another one, which has gone. Within a taste the
 * known items are taken more often, and one in seven steps follows fame alone. What comes after is drawn as the past was,
 * from the tastes that are left.
 */
export function makePeople(count: number, items: readonly Item[], random: () => number): Person[] {
  const byTopic = Map.groupBy(items, ({ topic }) => topic);
  return Array.from({ length: count }, (_, index) => {
    const [gone, ...tastes] = shuffled(
      Array.from({ length: topics }, (_, topic) => topic),
      random,
    ).slice(0, 3 + Math.floor(random() * 3));
    const weights = tastes.map(() => 0.3 + random());
    const hadAnother = random() < 1 / 3;
    const taken = new Set<Item>();
    const take = (pool: readonly Item[]): Item => {
      const item = drawn(
        pool.filter((each) => !taken.has(each)),
        ({ fame }) => fame,
        random,
      );
      taken.add(item);
      return item;
    };
    const ofTaste = (): Item =>
      take(byTopic.get(drawn(tastes, (taste) => weights[tastes.indexOf(taste)] ?? 0, random)) ?? []);
    const past = Array.from({ length: 8 + Math.floor(random() * 20) }, (): Interaction => {
      const daysAgo = random() * 90;
      if (random() < noise) return { item: take(items), kind: random() < 0.25 ? 'DISLIKE' : 'VIEW', daysAgo };
      const isOld = hadAnother && daysAgo > 50;
      const item = isOld ? take(byTopic.get(gone ?? 0) ?? []) : ofTaste();
      const kind = drawn(
        ['VIEW', 'LIKE', 'PURCHASE'] as const,
        (each) => ({ VIEW: 6, LIKE: 3, PURCHASE: 2 })[each],
        random,
      );
      return { item, kind, daysAgo };
    });
    return { externalId: `person-${index}`, past, future: Array.from({ length: futureItems }, ofTaste) };
  });
}

function drawn<T>(pool: readonly T[], weightOf: (item: T) => number, random: () => number): T {
  const total = pool.reduce((sum, item) => sum + weightOf(item), 0);
  let left = random() * total;
  const found = pool.find((item) => {
    left -= weightOf(item);
    return left < 0;
  });
  const [last] = found === undefined ? pool.slice(-1) : [found];
  if (last === undefined) throw new Error('there is nothing left to draw');
  return last;
}
