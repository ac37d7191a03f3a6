import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { openStream, runEventsOperation } from '../../test/e2e/runs/streams.ts';
import { configFile } from '../../test/helpers/config-file.ts';
import { temporaryDirectory } from '../../test/helpers/embedded-database.ts';
import { type GatewayProcess, startGatewayProcess } from '../../test/helpers/gateway-process.ts';
import { quantile, startVendorProcess } from '../streams/vendor-process.ts';

/**
 * Twenty fast streams with a follower each; then the same with twenty more followers that stop reading for 30 seconds. What the
 * stalled ones cost in memory, and the others in lateness; and that they see everything when they read again.
 */
const streams = 20;
const tokensPerSecond = 100;
const seconds = 40;
const stalledMs = 30_000;

await using vendor = await startVendorProcess({ tokens: tokensPerSecond * seconds, tokensPerSecond });
await using directory = await temporaryDirectory();
await using config = await configFile({ openai: { maxConcurrent: 100 }, seedDocs: false });
await using gateway = await startGatewayProcess({
  dataDir: directory.path,
  environment: {
    ...config.environment,
    OPENAI_BASE_URL: vendor.url,
    OPENAI_API_KEY: 'sk-bench-0123456789',
    // Memory after collections, not what is waiting for one.
    NODE_OPTIONS: '--max-semi-space-size=4',
  },
});
await round(gateway, false);
const without = await round(gateway, false);
const stalled = await round(gateway, true);
console.log(`${streams} streams at ${tokensPerSecond} tokens/s, embedded database`);
console.log(
  `without stalled followers: lateness p99 ${without.p99.toFixed(1)} ms, ${without.grownMb.toFixed(1)} MB more at the end of 30 s`,
);
console.log(
  `with ${streams} that read nothing for 30 s: lateness p99 ${stalled.p99.toFixed(1)} ms, ${stalled.grownMb.toFixed(1)} MB more`,
);
console.log(`they saw ${stalled.whole} of ${streams} runs whole when they read again`);
const extraMb = stalled.grownMb - without.grownMb;
if (stalled.whole < streams || extraMb > 20 || stalled.p99 > without.p99 + 50) {
  console.error(
    `\nFAILED: expected ${streams} whole, at most 20 MB more (got ${extraMb.toFixed(1)}), and p99 at most 50 ms later.`,
  );
  process.exitCode = 1;
}

async function round({ url, data, memory }: GatewayProcess, withStalled: boolean) {
  const webSocketUrl = url.replace(/^http/, 'ws');
  const latenessMs: number[] = [];
  const before = (await memory()).nowMb;
  const runIds = Array.from({ length: streams }, () => randomUUID());
  const mutation = 'mutation StalledStart($input: StartChatInput!) { startChat(input: $input) { run { runId } } }';
  await Promise.all(runIds.map((runId) => data(mutation, { input: { runId, message: `Question ${runId}` } })));
  const following = runIds.map(async (runId) => {
    for await (const { delta } of openStream({ webSocketUrl }, runEventsOperation, { runId })) {
      const now = performance.timeOrigin + performance.now();
      const stamp = Number(delta?.trimEnd().split(' ').at(-1));
      if (delta?.endsWith(' ') && stamp > 0) latenessMs.push(now - stamp);
    }
  });
  const sleepers = withStalled ? runIds.map((runId) => stall(webSocketUrl, runId)) : [];
  await sleep(stalledMs);
  const grownMb = (await memory()).nowMb - before;
  const whole = (await Promise.all(sleepers)).filter(Boolean).length;
  await Promise.all(following);
  return { p99: quantile(latenessMs, 0.99), grownMb, whole };
}

/** Subscribes, reads nothing for a while, then reads to the end; true when nothing was missing. */
async function stall(webSocketUrl: string, runId: string): Promise<boolean> {
  const socket = new WebSocket(webSocketUrl, 'graphql-transport-ws');
  let last = 0;
  let isWhole = true;
  const ended = new Promise<boolean>((resolve) => {
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init' })));
    socket.on('message', (text) => {
      const message = JSON.parse(String(text));
      if (message.type === 'connection_ack') {
        socket.send(
          JSON.stringify({ id: '1', type: 'subscribe', payload: { query: runEventsOperation, variables: { runId } } }),
        );
        socket.pause();
        setTimeout(() => socket.resume(), stalledMs);
      }
      if (message.type === 'next') {
        const { seq } = message.payload.data.event;
        isWhole &&= seq === last + 1;
        last = seq;
      }
      if (message.type === 'complete') socket.close();
    });
    socket.on('close', () => resolve(isWhole && last > 0));
  });
  return await ended;
}
