import { randomUUID } from 'node:crypto';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { createKey } from '../../test/helpers/api-keys.ts';
import { configFile } from '../../test/helpers/config-file.ts';
import { startGatewayWithVendor } from '../../test/helpers/gateway.ts';
import { mannWhitney } from './mann-whitney.ts';

/**
 * Whether a tenant can tell by the time of an answer what another tenant has asked. For each cache one tenant asks 500 texts; then
 * another asks these and 500 that nobody has asked, in random order, one at a time. Mann and Whitney's test compares the two kinds.
 * As a control, the first tenant asks again: there the difference must show, or the bench could not see one. Exits with 1 when it
 * sees a difference between tenants (p below 0.01 over all caches together), or none in a control. An argument names one of the caches.
 */
const probes = 1_000;
const controls = 200;

interface Cache {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly document: string;
}

const chat = `mutation ($text: String!) {
  startChat(input: { message: $text, store: false, model: "gpt-4.1-mini" }) { run { reply { text } } }
}`;
const embedding = 'query ($text: String!) { embedding(text: $text) { dimensions } }';
const caches: readonly Cache[] = [
  {
    name: 'replies',
    config: { openai: { models: [{ name: 'gpt-4.1-mini', cache: { ttlMs: 3_600_000 } }] } },
    document: chat,
  },
  { name: 'vectors in memory', config: { embeddings: { maxStored: 0 } }, document: embedding },
  { name: 'vectors in the database', config: { embeddings: { cacheBytes: 0 } }, document: embedding },
];
const significant = 0.01 / caches.length;

console.log(`${availableParallelism()} cores of ${cpus()[0]?.model ?? '?'}, load ${loadavg()[0]?.toFixed(1)}\n`);
const faults: string[] = [];
const only = process.argv[2] ?? '';
for (const cache of caches) if (cache.name.includes(only)) await measure(cache);
if (faults.length > 0) {
  console.error(`\nFAILED: ${faults.join('; ')}`);
  process.exitCode = 1;
}

async function measure({ name, config, document }: Cache): Promise<void> {
  await using file = await configFile(config);
  await using opened = await startGatewayWithVendor({
    environment: file.environment,
    vendor: { defaults: { latencyMs: 20 } },
  });
  const { gateway } = opened;
  const keeper = await createKey(gateway, { tenant: 'keeper', scopes: ['ADMIN', 'OPERATOR'] });
  const keyOf = (tenant: string) => createKey(gateway, { tenant, scopes: ['CHAT', 'SEARCH'] }, keeper.secret);
  const [one, other] = [await keyOf('one'), await keyOf('other')];

  async function ask(headers: Readonly<Record<string, string>>, text: string): Promise<number> {
    const begunAt = performance.now();
    const { errors } = await gateway.request(document, { text }, { headers });
    if (errors) throw new Error(`a probe failed: ${JSON.stringify(errors)}`);
    return performance.now() - begunAt;
  }

  const texts = (count: number) => Array.from({ length: count }, () => `What is ${randomUUID()}?`);
  const asked = texts(probes / 2);
  for (const text of [...texts(50), ...asked]) await ask(one.headers, text);
  for (const text of texts(50)) await ask(other.headers, text);
  // What is to be written to the database has been written.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  const between = await compare(asked, texts(probes / 2), (text) => ask(other.headers, text));
  const control = await compare(asked.slice(0, controls / 2), texts(controls / 2), (text) => ask(one.headers, text));
  console.log(`${name.padEnd(24)} another tenant's: ${said(between)}`);
  console.log(`${''.padEnd(24)} its own (control): ${said(control)}`);
  if (between.p < significant) faults.push(`${name}: another tenant can tell, p = ${between.p.toFixed(5)}`);
  if (control.p > 0.001) faults.push(`${name}: the control shows no difference, p = ${control.p.toFixed(5)}`);
}

interface Comparison {
  readonly knownMs: number;
  readonly freshMs: number;
  readonly count: number;
  readonly p: number;
}

async function compare(
  known: readonly string[],
  fresh: readonly string[],
  ask: (text: string) => Promise<number>,
): Promise<Comparison> {
  const times = { known: [] as number[], fresh: [] as number[] };
  const order = [
    ...known.map((text) => ({ text, kind: 'known' as const })),
    ...fresh.map((text) => ({ text, kind: 'fresh' as const })),
  ];
  for (const { text, kind } of shuffled(order)) times[kind].push(await ask(text));
  const p = mannWhitney(times.known, times.fresh);
  return { knownMs: median(times.known), freshMs: median(times.fresh), count: order.length, p };
}

function said({ knownMs, freshMs, count, p }: Comparison): string {
  return `${count} probes, p50 ${knownMs.toFixed(2)} ms asked before, ${freshMs.toFixed(2)} ms never asked, p = ${p.toFixed(4)}`;
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((left, right) => left.place - right.place)
    .map(({ item }) => item);
}

function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}
