import { availableParallelism, cpus, loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { configFile } from '../../test/helpers/config-file.ts';
import { temporaryDataDirectory } from '../../test/helpers/embedded-database.ts';
import { startGatewayProcess } from '../../test/helpers/gateway-process.ts';
import { startPostgresServer } from '../../test/helpers/postgres-server.ts';
import { cpuMs } from '../durability/process-cpu.ts';
import { HttpClient } from '../gateways/http-client.ts';
import { startBenchVendor } from '../gateways/vendor-control.ts';
import { quantile } from '../streams/vendor-process.ts';

/**
 * 5,000 chats that wait for their replies at the same time, in one gateway process with raised limits. The provider answers five
 * seconds after the last of them has come, so that all do wait together, on a slow machine too. Exits with 1 unless all are
 * answered within 30 s, in 600 MB, and with the gateway at hand for others while all wait. With `--postgresql` the database is not in
 * the gateway's process.
 */
const { postgresql } = parseArgs({ options: { postgresql: { type: 'boolean', default: false } } }).values;
const chats = 5_000;
const providerMs = 5_000;
const bounds = { answeredMs: 30_000, memoryMb: 600, delayP99Ms: 50, healthMs: 100 };

await using vendor = await startBenchVendor();
await using directory = await temporaryDataDirectory();
await using postgres = postgresql ? await startPostgresServer() : null;
await using config = await configFile({
  limits: { maxRuns: 2 * chats },
  openai: { maxConcurrent: 2 * chats },
  seedDocs: false,
});
await using gateway = await startGatewayProcess({
  dataDir: directory.path,
  environment: {
    ...config.environment,
    ...(postgres !== null && { DATABASE_URL: postgres.url }),
    OPENAI_BASE_URL: vendor.url,
    OPENAI_API_KEY: 'sk-bench-0123456789',
    NODE_OPTIONS: `--import ${fileURLToPath(new URL('./loop-delay.js', import.meta.url))}`,
  },
});
using client = new HttpClient({ url: new URL(gateway.url), headers: { accept: 'application/json' } });
const query = `mutation Waiting($input: StartChatInput!) { startChat(input: $input) { run { reply { text } } } }`;
const chat = JSON.stringify({ query, variables: { input: { message: 'How do you do?', store: false } } });

await vendor.behave({});
for (let warm = 0; warm < 20; warm += 1) await Promise.all(Array.from({ length: 25 }, () => client.post(chat)));
await vendor.behave({ latencyMs: providerMs, together: chats });

const emptyMb = (await gateway.memory()).nowMb;
const cpuBefore = await cpuMs(gateway.pid);
const begun = performance.now();
let answered = 0;
const all = Promise.all(
  Array.from({ length: chats }, async () => {
    const body = await client.post(chat);
    if (body.includes('word word')) answered += 1;
  }),
);
let over = false;
const ended = all.finally(() => {
  over = true;
});
ended.catch(() => {});
const allWaitingMs = await whenAllWait();
const admissionCpuMs = (await cpuMs(gateway.pid)) - cpuBefore;
const waitingMb = (await gateway.memory()).nowMb;
const healthMs: number[] = [];
process.kill(gateway.pid, 'SIGUSR2');
// Until shortly before the first answers: what is measured is the waiting.
const waitUntil = begun + allWaitingMs + providerMs - 500;
while (!over && performance.now() < waitUntil) {
  const sent = performance.now();
  await client.post('{"query":"{ health { ok } }"}');
  healthMs.push(performance.now() - sent);
  await pause(50);
}
process.kill(gateway.pid, 'SIGUSR2');
await ended;
const answeredMs = performance.now() - begun;
const { peakMb } = await gateway.memory();
const delays = [...gateway.output.matchAll(/event loop delay p99 ([\d.]+) ms/g)].map(([, ms]) => Number(ms));
const delayP99Ms = delays.at(-1) ?? Number.NaN;
const slowestHealthMs = quantile(healthMs, 1);

console.log(
  `${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown processor'}, Node ${process.version}, load average ${loadavg()[0]?.toFixed(1)}, ${postgresql ? 'PostgreSQL' : 'embedded database'}`,
);
console.log(
  `${answered} of ${chats} answered in ${(answeredMs / 1_000).toFixed(1)} s; all were waiting after ${(allWaitingMs / 1_000).toFixed(1)} s`,
);
console.log(
  `processor time until then: ${(admissionCpuMs / chats).toFixed(2)} ms a call, in all threads of the gateway`,
);
console.log(
  `memory: ${emptyMb.toFixed(0)} MB before, ${waitingMb.toFixed(0)} MB while all waited (${(((waitingMb - emptyMb) * 1_024) / chats).toFixed(0)} KB each), ${peakMb.toFixed(0)} MB at the most`,
);
console.log(
  `while all waited: event-loop delay p99 ${delayP99Ms.toFixed(1)} ms, { health } within ${slowestHealthMs.toFixed(1)} ms (${healthMs.length} times)`,
);
const faults = [
  answered < chats && `${answered} answered`,
  answeredMs > bounds.answeredMs && `answered in ${answeredMs.toFixed(0)} ms`,
  peakMb > bounds.memoryMb && `${peakMb.toFixed(0)} MB`,
  !(delayP99Ms <= bounds.delayP99Ms) && `event-loop delay p99 ${delayP99Ms} ms`,
  !(slowestHealthMs <= bounds.healthMs) && `{ health } took ${slowestHealthMs.toFixed(1)} ms`,
].filter((fault) => fault !== false);
if (faults.length > 0) {
  console.error(`\nFAILED: ${faults.join(', ')}; expected ${JSON.stringify(bounds)}`);
  process.exitCode = 1;
}

/** Until every chat is with the provider, or they have failed. */
async function whenAllWait(): Promise<number> {
  while (!over && (await vendor.state()).arrivals.length < chats) await pause(100);
  return performance.now() - begun;
}
