import { availableParallelism, cpus, loadavg } from 'node:os';
import { type AgentRunSeen, runAgent } from '../../test/e2e/agents/agent-run.ts';
import { type Edge, planOf, playing } from '../../test/e2e/agents/team-vendor.ts';
import { ingest, startGatewayWithVendor } from '../../test/helpers/gateway.ts';

/**
 * A team whose plan has eight look-ups, at a vendor that takes 500 ms for each call. Exits with 1 unless the run takes at most
 * 1.15 times the longest way through its steps, and, one step at a time, about the sum of all of them.
 */
const latencyMs = 500;
const rounds = 3;
const bound = 1.15;
const edges: readonly Edge[] = ['a', 'b', ['c', 'a'], ['d', 'a', 'b'], ['e', 'c'], ['f', 'd'], 'g', ['h', 'g']];

await using opened = await startGatewayWithVendor({
  vendor: { defaults: { latencyMs, ...playing({ plan: planOf(edges) }) } },
});
const { gateway, vendor } = opened;
vendor.when((call) => call.path === '/embeddings', { latencyMs: 0 });
await ingest(gateway, [{ externalId: 'lamp', title: 'The lamp', text: 'The lamp turns twice a minute.' }]);
await runAgent(gateway, { goal: 'A first one, to warm up.' });

console.log(
  `${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown processor'}, Node ${process.version}, load ${loadavg()[0]?.toFixed(1)}\n`,
);
const wide = await bestOf(8);
const narrow = await bestOf(1);
// Planning, the look-ups and their checks along the longest way, the answer.
const longestMs = (1 + 2 * longestWay() + 1) * latencyMs;
const sumMs = (1 + 2 * edges.length + 1) * latencyMs;
report('maxParallel 8', wide, longestMs, 'its longest way');
report('maxParallel 1', narrow, sumMs, 'the sum of its steps');
if (wide > longestMs * bound || narrow < sumMs || narrow > sumMs * bound) process.exitCode = 1;

async function bestOf(maxParallel: number): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const started = performance.now();
    const { run } = await runAgent(gateway, { goal: `Round ${round} of ${maxParallel}?`, limits: { maxParallel } });
    times.push(performance.now() - started);
    assertWhole(run);
  }
  return Math.min(...times);
}

function assertWhole({ status, steps }: AgentRunSeen): void {
  if (status === 'SUCCEEDED' && steps.length === 2 * edges.length + 1) return;
  throw new Error(`a run ended as ${status} with ${steps.length} steps`);
}

function longestWay(): number {
  const graph = new Map(edges.map((edge) => (typeof edge === 'string' ? [edge, []] : [edge[0], edge.slice(1)])));
  const lengthOf = (key: string): number => 1 + Math.max(0, ...(graph.get(key) ?? []).map(lengthOf));
  return Math.max(...[...graph.keys()].map(lengthOf));
}

function report(what: string, ms: number, idealMs: number, name: string): void {
  console.log(`${what}: ${ms.toFixed(0)} ms; ${name}: ${idealMs} ms; ${(ms / idealMs).toFixed(3)}×`);
}
