import { dot, unit } from '../../core/recommend/similarity.ts';
import type { Item } from './items.ts';
import type { Person } from './people.ts';

export type Vectors = ReadonlyMap<Item, Float32Array>;

/** The items that most of these people have done something with; of a person's own past none. */
export function byPopularity(items: readonly Item[], people: readonly Person[]): (person: Person) => Item[] {
  const counts = new Map<Item, number>();
  for (const { past } of people)
    for (const { item, kind } of past) if (kind !== 'DISLIKE') counts.set(item, (counts.get(item) ?? 0) + 1);
  const ordered = items.toSorted((left, right) => (counts.get(right) ?? 0) - (counts.get(left) ?? 0));
  return (person) => firstTen(ordered, person);
}

/** The items that are nearest to the mean of all that the person has viewed, liked and bought. */
export function byMeanVector(items: readonly Item[], vectors: Vectors): (person: Person) => Item[] {
  return (person) => {
    const mean = new Float32Array(vectors.values().next().value?.length ?? 0);
    for (const { item, kind } of person.past)
      if (kind !== 'DISLIKE')
        for (const [index, value] of vectors.get(item)?.entries() ?? []) mean[index] = (mean[index] ?? 0) + value;
    const centre = unit(mean);
    const nearness = new Map(items.map((item) => [item, dot(centre, vectors.get(item) ?? centre)]));
    return firstTen(
      items.toSorted((left, right) => (nearness.get(right) ?? 0) - (nearness.get(left) ?? 0)),
      person,
    );
  };
}

function firstTen(ordered: readonly Item[], { past }: Person): Item[] {
  const known = new Set(past.map(({ item }) => item));
  return ordered.filter((item) => !known.has(item)).slice(0, 10);
}

/** Hits: how many people find one at least of what they will take; recall: how much of it; diversity: 1 − mean cosine within a list. */
export function measure(people: readonly Person[], listOf: (person: Person) => readonly Item[], vectors: Vectors) {
  const lists = people.map(listOf);
  const found = people.map(({ future }, place) => future.filter((item) => lists[place]?.includes(item)).length);
  return {
    hitRate: mean(found.map((hits) => (hits > 0 ? 1 : 0))),
    recall: mean(found.map((hits, place) => hits / (people[place]?.future.length ?? 1))),
    diversity: mean(lists.map((list) => 1 - meanCosine(list, vectors))),
    topics: mean(lists.map((list) => new Set(list.map(({ topic }) => topic)).size)),
  };
}

function meanCosine(list: readonly Item[], vectors: Vectors): number {
  const own = list.map((item) => vectors.get(item) ?? new Float32Array());
  return mean(own.flatMap((left, place) => own.slice(place + 1).map((right) => dot(left, right))));
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
