import { availableParallelism, cpus } from 'node:os';
import { ingest, startGatewayWithVendor } from '../../test/helpers/gateway.ts';
import { vectorOf } from '../../test/helpers/vendor/vectors.ts';
import { randomNumbers } from '../batching/corpus.ts';
import { byMeanVector, byPopularity, measure } from './baselines.ts';
import { type Item, makeItems } from './items.ts';
import { makePeople, type Person } from './people.ts';

/**
 * Two hundred people with hidden tastes over two thousand generated items: do the recommendations find what a person takes next, beside
 * popularity and a plain mean vector? Through the whole gateway, over HTTP, embedded database. Exits with 1 when the hit rate is not
 * above both, a page takes longer than 30 ms (p95), or fifty lists in one operation are more than one statement for their
 * candidates.
 *
 *     node bench/recommend/run.ts [seed]
 */
const itemCount = 2_000;
const peopleCount = 200;
const dimensions = 384;
const mostMs = 30;
const seed = Number(process.argv[2] ?? 1);

const random = randomNumbers(seed);
const items = makeItems(itemCount, random);
const people = makePeople(peopleCount, items, random);
const vectors = new Map(items.map((item) => [item, vectorOf(`${item.title}\n${item.text}`, dimensions)]));
const byExternalId = new Map(items.map((item) => [item.externalId, item]));

await using started = await startGatewayWithVendor({ vendor: { dimensions } });
const { gateway } = started;
for (const half of [items.slice(0, itemCount / 2), items.slice(itemCount / 2)])
  await ingest(
    gateway,
    half.map(({ externalId, title, text }) => ({ externalId, title, text })),
  );
const ids = new Map<Person, string>();
for (const person of people) ids.set(person, await tell(person));

const lists = new Map<Person, readonly Item[]>();
const times: number[] = [];
for (const round of ['warm', 'measured']) {
  for (const person of people) {
    const begun = performance.now();
    lists.set(person, await recommended(person));
    if (round === 'measured') times.push(performance.now() - begun);
  }
}
const before = new Map(gateway.statements);
const begun = performance.now();
await gateway.data(
  `{ ${people
    .slice(0, 50)
    .map((person, index) => `p${index}: ${field(ids.get(person) ?? '')}`)
    .join(' ')} }`,
);
const fiftyMs = performance.now() - begun;
const statements = (gateway.statements.get('recommendations') ?? 0) - (before.get('recommendations') ?? 0);

const rows = [
  ['popularity', measure(people, byPopularity(items, people), vectors)],
  ['plain mean vector', measure(people, byMeanVector(items, vectors), vectors)],
  ['recommendations', measure(people, (person) => lists.get(person) ?? [], vectors)],
] as const;
const [p50, p95] = [0.5, 0.95].map((share) => quantile(times, share));
console.log(
  `${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown processor'}, Node ${process.version}`,
);
console.log(`${itemCount} items, ${peopleCount} people, seed ${seed}, vectors of ${dimensions}, embedded database\n`);
console.log('| list of 10        | hit rate | recall | diversity | topics |');
console.log('| ----------------- | -------- | ------ | --------- | ------ |');
for (const [name, { hitRate, recall, diversity, topics }] of rows) {
  const cells = [
    hitRate.toFixed(3).padEnd(8),
    recall.toFixed(3).padEnd(6),
    diversity.toFixed(3).padEnd(9),
    topics.toFixed(1).padEnd(6),
  ];
  console.log(`| ${name.padEnd(17)} | ${cells.join(' | ')} |`);
}
console.log(`\na page of 10: p50 ${p50?.toFixed(1)} ms, p95 ${p95?.toFixed(1)} ms (at most ${mostMs})`);
console.log(`50 lists in one operation: ${statements} statement for the candidates, ${fiftyMs.toFixed(0)} ms`);

const [popularity, meanVector, ours] = rows.map(([, { hitRate }]) => hitRate);
const isAbove = (ours ?? 0) > Math.max(popularity ?? 1, meanVector ?? 1);
if (!isAbove || (p95 ?? Infinity) > mostMs || statements !== 1) {
  console.error('\nFAILED: expected a hit rate above both others, the p95 within its bound, and 1 statement.');
  process.exitCode = 1;
}

/** The person's profile with all its past; returns the profile's id. */
async function tell({ externalId, past }: Person): Promise<string> {
  const { upsertProfile } = await gateway.data<{ upsertProfile: { profile: { id: string } } }, unknown>(
    'mutation ($input: UpsertProfileInput!) { upsertProfile(input: $input) { profile { id } } }',
    { input: { externalId } },
  );
  const interactions = past.map(({ item, kind, daysAgo }) => ({
    ...{ externalId: item.externalId, kind },
    at: new Date(Date.now() - daysAgo * 86_400_000),
  }));
  await gateway.data('mutation ($input: RecordInteractionsInput!) { recordInteractions(input: $input) { recorded } }', {
    input: { profile: upsertProfile.profile.id, in: 'default', interactions },
  });
  return upsertProfile.profile.id;
}

function field(profile: string): string {
  return `recommendations(profile: "${profile}", in: "default") { edges { score node { externalId title } because { title } } }`;
}

async function recommended(person: Person): Promise<Item[]> {
  const { recommendations } = await gateway.data<
    { recommendations: { edges: { node: { externalId: string } }[] } },
    unknown
  >(`{ ${field(ids.get(person) ?? '')} }`);
  return recommendations.edges.flatMap(({ node }) => byExternalId.get(node.externalId) ?? []);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
}
