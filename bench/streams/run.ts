import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { all, chatOperation, isDelta, openStream, type StreamEvent } from '../../test/e2e/runs/streams.ts';
import { type GatewayProcess, startGatewayProcess } from '../../test/helpers/gateway-process.ts';
import { bareStream, type Read } from './bare-stream.ts';
import { quantile, startVendorProcess } from './vendor-process.ts';

/**
 * A thousand chats at the same time in one gateway process, each with a follower on a socket of its own, beside the same
 * streams read from the vendor without a gateway. Every token carries the time it was due, so that lateness (arrival − due)
 * can be told from the vendor's pace. Exits with 1 when a chat does not end whole.
 */
const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '1000' },
    tokens: { type: 'string', default: '75' },
    'tokens-per-second': { type: 'string', default: '5' },
  },
});
const streams = Number(values.streams);
const tokens = Number(values.tokens);
const tokensPerSecond = Number(values['tokens-per-second']);
/** So that a first burst of compilation and allocation is not taken for the streams' own. */
const warmUpStreams = 100;

interface Outcome {
  readonly whole: number;
  readonly latenessMs: readonly number[];
  readonly totalMs: number;
  readonly events: number;
}

const directory = await mkdtemp(join(tmpdir(), 'sluice-streams-'));
try {
  await using vendor = await startVendorProcess({ tokens, tokensPerSecond });
  const config = join(directory, 'sluice.config.json');
  await writeFile(
    config,
    JSON.stringify({ limits: { maxRuns: streams }, openai: { maxConcurrent: streams }, seedDocs: false }),
  );
  await using gateway = await startGatewayProcess({
    dataDir: join(directory, 'data'),
    environment: { SLUICE_CONFIG: config, OPENAI_BASE_URL: vendor.url, OPENAI_API_KEY: 'sk-bench-0123456789' },
  });
  console.log(
    `${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown processor'}, Node ${process.version}; vendor, gateway and client in a process each`,
  );
  console.log(`${streams} streams of ${tokens} tokens at ${tokensPerSecond} a second each\n`);

  await measure(warmUpStreams, () => bareStream(vendor.url));
  await measure(warmUpStreams, () => chat(gateway, true));
  const bare = await measure(streams, () => bareStream(vendor.url));
  print('the vendor alone', bare, null);
  let failed = bare.whole < streams;
  for (const store of [false, true]) {
    const before = (await gateway.memory()).nowMb;
    const during = watchMemory(gateway);
    const outcome = await measure(streams, () => chat(gateway, store));
    const grownKb = ((await during()) - before) * 1024;
    print(`the gateway, store: ${store}`, outcome, bare);
    console.log(
      `  memory: ${before.toFixed(0)} MB before, ${(grownKb / streams).toFixed(0)} KB more per stream at the most`,
    );
    failed ||= outcome.whole < streams;
  }
  if (failed) {
    console.error('\nFAILED: expected every stream to end whole.');
    process.exitCode = 1;
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function measure(count: number, read: () => Promise<Read>): Promise<Outcome> {
  const begun = performance.now();
  const reads = await Promise.all(Array.from({ length: count }, read));
  return {
    whole: reads.filter(({ whole }) => whole).length,
    latenessMs: reads.flatMap(({ latenessMs }) => latenessMs),
    totalMs: performance.now() - begun,
    events: reads.reduce((sum, { events }) => sum + events, 0),
  };
}

async function chat({ url }: GatewayProcess, store: boolean): Promise<Read> {
  const latenessMs: number[] = [];
  const input = { runId: randomUUID(), message: `Question ${randomUUID()}`, store };
  const stream = openStream({ webSocketUrl: url.replace(/^http/, 'ws') }, chatOperation, { input });
  const events = await all(timed(stream, latenessMs));
  const gapless = events.every(({ seq }, index) => seq === index + 1);
  const whole = gapless && latenessMs.length === tokens && events.at(-1)?.__typename === 'RunFinished';
  return { latenessMs, whole, events: events.length };
}

async function* timed(stream: AsyncIterable<StreamEvent>, latenessMs: number[]): AsyncGenerator<StreamEvent> {
  let rest = '';
  for await (const event of stream) {
    if (isDelta(event)) {
      // A stamp ends with a space; the last one of a delta may be half there.
      const stamps = (rest + event.delta).split(' ');
      rest = stamps.pop() ?? '';
      const now = performance.timeOrigin + performance.now();
      for (const stamp of stamps) latenessMs.push(now - Number(stamp));
    }
    yield event;
  }
}

/** Samples the gateway's memory until the returned function is called, which gives the most there was. */
function watchMemory(gateway: GatewayProcess): () => Promise<number> {
  let mostMb = 0;
  const sample = async () => {
    mostMb = Math.max(mostMb, (await gateway.memory()).nowMb);
  };
  const timer = setInterval(() => void sample(), 200);
  return async () => {
    clearInterval(timer);
    await sample();
    return mostMb;
  };
}

function print(name: string, { whole, latenessMs, totalMs, events }: Outcome, bare: Outcome | null): void {
  const [p50, p99] = [0.5, 0.99].map((share) => quantile(latenessMs, share));
  const than = bare === null ? '' : `, ${(totalMs / bare.totalMs).toFixed(2)}× the vendor alone`;
  console.log(`${name}: ${whole} of ${streams} whole in ${(totalMs / 1000).toFixed(1)} s${than}`);
  const added =
    bare === null
      ? ''
      : ` (${((p50 ?? 0) - quantile(bare.latenessMs, 0.5)).toFixed(1)} and ${((p99 ?? 0) - quantile(bare.latenessMs, 0.99)).toFixed(1)} ms more than the vendor alone)`;
  console.log(`  lateness of a token: p50 ${p50?.toFixed(1)} ms, p99 ${p99?.toFixed(1)} ms${added}; ${events} events`);
}
