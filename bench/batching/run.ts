import { availableParallelism, cpus } from 'node:os';
import { ingest, startGatewayWithVendor, type TestGateway } from '../../test/helpers/gateway.ts';
import type { Vendor } from '../../test/helpers/vendor/vendor.ts';
import { Words } from './corpus.ts';

/**
 * What twenty searches in one operation cost beside one, against a vendor that takes 50 ms for every call. Every query text
 * is new, so that no cache answers. Exits with 1 when twenty take more than twice as long as one, or more than one embeddings
 * call and one search statement.
 */
const passages = 500;
const aliases = 20;
const warmUps = 10;
/** So many that they outlast what a virtual machine's neighbours do, which lasts half a minute at a time. */
const repetitions = 300;
const latencyMs = 50;
const mostTimes = 2;

const words = new Words(1);
await using started = await startGatewayWithVendor({ vendor: { defaults: { latencyMs } } });
const { gateway, vendor } = started;
const texts = Array.from({ length: passages }, () => words.document(150));
await ingest(
  gateway,
  texts.map((text, index) => ({ externalId: `document-${index}`, title: words.sentence(4), text })),
);

for (let warm = 0; warm < warmUps; warm += 1) {
  await time(1);
  await time(aliases);
}
const one: number[] = [];
const many: number[] = [];
const calls = { embeddings: 0, statements: 0 };
// In turn, so that whatever else the machine does meets both alike.
for (let repetition = 0; repetition < repetitions; repetition += 1) {
  one.push(await time(1));
  const before = countsOf(gateway, vendor);
  many.push(await time(aliases));
  const after = countsOf(gateway, vendor);
  calls.embeddings = Math.max(calls.embeddings, after.embeddings - before.embeddings);
  calls.statements = Math.max(calls.statements, after.statements - before.statements);
}

const ratio = quantile(many, 0.5) / quantile(one, 0.5);
console.log(
  `${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown processor'}, Node ${process.version}`,
);
console.log(`${passages} passages, vendor latency ${latencyMs} ms, ${repetitions} repetitions, embedded database\n`);
console.log(line('1 search', one));
console.log(line(`${aliases} searches in one operation`, many));
console.log(`ratio of the medians: ${ratio.toFixed(2)} (at most ${mostTimes})`);
console.log(`per operation of ${aliases}: ${calls.embeddings} embeddings call, ${calls.statements} search statement`);
if (ratio > mostTimes || calls.embeddings !== 1 || calls.statements !== 1) {
  console.error('\nFAILED: expected 1 embeddings call, 1 search statement, and the ratio within its bound.');
  process.exitCode = 1;
}

/** Milliseconds of one operation with so many searches, as an app sees it. */
async function time(searches: number): Promise<number> {
  const fields = Array.from({ length: searches }, (_, index) => {
    const query = `${words.sentence(6)} ${Math.random()}`;
    return `s${index}: search(query: ${JSON.stringify(query)}) { edges { score highlights node { text document { title } } } }`;
  });
  const operation = `{ ${fields.join(' ')} }`;
  const begun = performance.now();
  const results = await gateway.data<Record<string, { edges: unknown[] }>, unknown>(operation);
  const milliseconds = performance.now() - begun;
  if (Object.values(results).some(({ edges }) => edges.length === 0)) throw new Error('a search found nothing');
  return milliseconds;
}

function countsOf({ statements }: TestGateway, { calls }: Vendor) {
  return { embeddings: calls('/embeddings').length, statements: statements.get('search') ?? 0 };
}

function line(name: string, times: readonly number[]): string {
  const [p50, p95] = [0.5, 0.95].map((share) => quantile(times, share).toFixed(1));
  return `${name.padEnd(32)} p50 ${p50} ms, p95 ${p95} ms`;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
}
