import { randomUUID } from 'node:crypto';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { configFile } from '../../test/helpers/config-file.ts';
import { startGatewayWithVendor } from '../../test/helpers/gateway.ts';

/**
 * Time from the subscription `chat` to its first text over an open WebSocket, once from the provider (a double that answers at once)
 * and once from the cache, in turns. A stored run waits for the database, which claims it, whatever answers.
 * Fails when the median from the cache is above 5 ms without that wait, or when the texts differ.
 */
const rounds = 200;
const atMostMs = 5;

const document = `subscription ($input: StartChatInput!) {
  chat(input: $input) {
    ... on TextMessageDelta { delta }
    ... on RunFinished { usage { calls } }
  }
}`;

/** A run whose id the client has chosen is looked for in the database, stored or not: its id must not hide another one's. */
interface Kind {
  readonly store: boolean;
  readonly isNamed: boolean;
}

const kinds: readonly Kind[] = [
  { store: false, isNamed: false },
  { store: false, isNamed: true },
  { store: true, isNamed: false },
];

interface Event {
  readonly chat: { readonly delta?: string; readonly usage?: { readonly calls: number } };
}

await using config = await configFile({
  openai: { models: [{ name: 'gpt-4.1-mini', cache: { ttlMs: 600_000 } }] },
});
await using opened = await startGatewayWithVendor({ environment: config.environment });
const client = createClient({ url: opened.gateway.webSocketUrl, webSocketImpl: WebSocket, lazy: false });

async function ask(message: string, { store, isNamed }: Kind) {
  const begunAt = performance.now();
  let firstMs = Number.NaN;
  let text = '';
  let calls = Number.NaN;
  const input = { message, store, ...(isNamed ? { runId: randomUUID() } : {}) };
  for await (const { data } of client.iterate<Event>({ query: document, variables: { input } })) {
    if (data?.chat.delta !== undefined) {
      if (Number.isNaN(firstMs)) firstMs = performance.now() - begunAt;
      text += data.chat.delta;
    }
    calls = data?.chat.usage?.calls ?? calls;
  }
  return { firstMs, text, calls };
}

console.log(`${availableParallelism()} cores of ${cpus()[0]?.model ?? '?'}, load ${loadavg()[0]?.toFixed(1)}\n`);
const faults: string[] = [];
for (const kind of kinds) {
  const times = { provider: [] as number[], cache: [] as number[] };
  for (let round = -20; round < rounds; round += 1) {
    const message = `What is ${randomUUID()}?`;
    const first = await ask(message, kind);
    const second = await ask(message, kind);
    if (first.text !== second.text || first.calls !== 1 || second.calls !== 0) faults.push(`round ${round} differs`);
    if (round < 0) continue;
    times.provider.push(first.firstMs);
    times.cache.push(second.firstMs);
  }
  for (const [from, ms] of Object.entries(times)) {
    console.log(
      `store: ${String(kind.store).padEnd(5)}  ${kind.isNamed ? 'runId' : '     '}  first text from the ${from.padEnd(8)}  p50 ${at(ms, 0.5)} ms  p95 ${at(ms, 0.95)} ms`,
    );
  }
  if (!kind.store && Number(at(times.cache, 0.5)) > atMostMs) faults.push(`from the cache: more than ${atMostMs} ms`);
}
await client.dispose();
if (faults.length > 0) {
  console.error(`\nFAILED: ${faults.slice(0, 5).join('; ')}`);
  process.exitCode = 1;
}

function at(values: readonly number[], share: number): string {
  const sorted = [...values].sort((one, other) => one - other);
  return (sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN).toFixed(2);
}
