import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { openStream, runEventsOperation } from '../../test/e2e/runs/streams.ts';
import { configFile } from '../../test/helpers/config-file.ts';
import { temporaryDirectory } from '../../test/helpers/embedded-database.ts';
import { type GatewayProcess, startGatewayProcess } from '../../test/helpers/gateway-process.ts';
import { quantile, startVendorProcess } from '../streams/vendor-process.ts';
import type { StalledFollowers } from './stalled-followers.ts';

/**
 * Twenty fast streams with a follower each; then the same with twenty more followers that stop reading for 30 seconds. What the
 * stalled ones cost in memory, and the others in lateness; and that they see everything when they read again. Twice: with short
 * events, which the kernel's buffers hold for so long, and with the whole text so far in each, which they do not: then it is for the
 * gateway to stop.
 */
const streams = 20;
const tokensPerSecond = 100;
const seconds = 40;
const stalledMs = 30_000;
const bounds = { moreMb: 20, laterMs: 50 };

const wholeText = `subscription StalledText($runId: UUID!) {
  event: runEvents(runId: $runId) { seq ... on TextMessageDelta { textSoFar } }
}`;

await using vendor = await startVendorProcess({ tokens: tokensPerSecond * seconds, tokensPerSecond });
await using directory = await temporaryDirectory();
await using config = await configFile({ openai: { maxConcurrent: 100 }, seedDocs: false });
await using gateway = await startGatewayProcess({
  dataDir: directory.path,
  environment: {
    ...config.environment,
    OPENAI_BASE_URL: vendor.url,
    OPENAI_API_KEY: 'sk-bench-0123456789',
    NODE_OPTIONS: `--import ${fileURLToPath(new URL('./memory-after-gc.ts', import.meta.url))}`,
  },
});
await round(gateway, null);
const without = await round(gateway, null);
console.log(`${streams} streams at ${tokensPerSecond} tokens/s, embedded database`);
console.log(
  `without stalled followers: lateness p99 ${without.p99.toFixed(1)} ms, ${without.grownMb.toFixed(1)} MB more held after 30 s`,
);
for (const [events, operation] of [
  ['short events', runEventsOperation],
  ['the text so far in each event', wholeText],
] as const) {
  const stalled = await round(gateway, operation);
  const moreMb = stalled.grownMb - without.grownMb;
  const laterMs = stalled.p99 - without.p99;
  console.log(
    `with ${streams} that read nothing for 30 s, ${events}: lateness p99 ${stalled.p99.toFixed(1)} ms, ${stalled.grownMb.toFixed(1)} MB more held; ${stalled.whole} of ${streams} saw all when they read again`,
  );
  if (stalled.whole === streams && moreMb <= bounds.moreMb && laterMs <= bounds.laterMs) continue;
  console.error(
    `FAILED: expected ${streams} whole, at most ${bounds.moreMb} MB more (got ${moreMb.toFixed(1)}), and p99 at most ${bounds.laterMs} ms later (got ${laterMs.toFixed(1)}).`,
  );
  process.exitCode = 1;
}

async function round(gateway: GatewayProcess, operation: string | null) {
  const webSocketUrl = gateway.url.replace(/^http/, 'ws');
  const latenessMs: number[] = [];
  const before = await heldMb(gateway);
  const runIds = Array.from({ length: streams }, () => randomUUID());
  const mutation = 'mutation StalledStart($input: StartChatInput!) { startChat(input: $input) { run { runId } } }';
  await Promise.all(runIds.map((runId) => gateway.data(mutation, { input: { runId, message: `Question ${runId}` } })));
  const following = runIds.map(async (runId) => {
    for await (const { delta } of openStream({ webSocketUrl }, runEventsOperation, { runId })) {
      const now = performance.timeOrigin + performance.now();
      const stamp = Number(delta?.trimEnd().split(' ').at(-1));
      if (delta?.endsWith(' ') && stamp > 0) latenessMs.push(now - stamp);
    }
  });
  const sleepers = operation === null ? [] : stalledFollowers({ webSocketUrl, operation, runIds, stalledMs });
  // The collection is the bench's own, and so is the lateness that it makes: it comes last, and is too short to be in the p99.
  await sleep(stalledMs - 1_000);
  const grownMb = (await heldMb(gateway)) - before;
  const whole = (await sleepers).filter(Boolean).length;
  await Promise.all(following);
  return { p99: quantile(latenessMs, 0.99), grownMb, whole };
}

async function stalledFollowers(followers: StalledFollowers): Promise<readonly boolean[]> {
  const worker = new Worker(new URL('./stalled-followers.ts', import.meta.url), { workerData: followers });
  const [wholes] = await once(worker, 'message');
  return wholes;
}

/** What is reachable in the gateway's main thread: its heap and the buffers that it holds. */
async function heldMb(gateway: GatewayProcess): Promise<number> {
  const said = () => [...gateway.output.matchAll(/held after collecting: ([\d.]+) MB/g)];
  const before = said().length;
  process.kill(gateway.pid, 'SIGUSR2');
  while (said().length === before) await sleep(20);
  return Number(said().at(-1)?.[1]);
}
