import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GatewayProcess, startGatewayProcess } from '../../test/helpers/gateway-process.ts';
import { type Probe, quantile, startProbe } from './probe.ts';
import { createProse } from './prose.ts';

/**
 * 2,000 documents of 150 words ingested without a key, in two runs that are followed by their events, while health is asked
 * every 20 ms and a search is made every half second. Exits with 1 when the process takes more than 700 MB at any time since
 * its start, when its event loop is late by 50 ms or more (p99), or when health waits for the database.
 */
const documentsPerRun = 1_000;
const runs = 2;
const wordsPerDocument = 150;
const mostMemoryMb = 700;
const mostDelayMs = 50;
const mostHealthMs = 100;

const faults: string[] = [];
const dataDir = await mkdtemp(join(tmpdir(), 'sluice-ingest-'));
const machine = `${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown processor'}, Node ${process.version}`;
try {
  await using gateway = await startGatewayProcess({ dataDir, environment: { SLUICE_SEED_DOCS: 'false' } });
  console.log(`${machine}, load before ${loadavg()[0]?.toFixed(1)}`);
  console.log(
    `start: ${megabytes((await gateway.memory()).nowMb)}, at most ${megabytes((await gateway.memory()).peakMb)}`,
  );
  await measure(gateway);
  await gateway.stop();
} finally {
  await rm(dataDir, { recursive: true, force: true });
}
if (faults.length > 0) {
  console.error(`\nFAILED: ${faults.join('; ')}`);
  process.exitCode = 1;
}

async function measure(gateway: GatewayProcess): Promise<void> {
  const prose = await createProse(1);
  const questions = await createProse(2);
  const health = startProbe(gateway.url, 20, () => '{ health { ok eventLoopDelayP99Ms } }');
  const search = startProbe(gateway.url, 500, (count) => {
    const query = JSON.stringify(`${questions.text(6)} ${count}`);
    return `{ search(query: ${query}, first: 5) { edges { score node { text } } } }`;
  });
  const delays: number[] = [];
  const memory: number[] = [];
  const sampling = setInterval(async () => {
    memory.push((await gateway.memory()).nowMb);
    delays.push((health.newest as { health: { eventLoopDelayP99Ms: number } }).health.eventLoopDelayP99Ms);
  }, 1_000);

  const begun = performance.now();
  for (let run = 0; run < runs; run += 1) {
    const documents = Array.from({ length: documentsPerRun }, (_, index) => ({
      externalId: `document-${run * documentsPerRun + index}`,
      title: prose.title(),
      text: prose.text(wordsPerDocument),
    }));
    const events = await ingest(gateway, documents);
    console.log(
      `run ${run + 1}: ${documentsPerRun} documents, ${events} progress events, ${elapsed(begun)} since the beginning, ${megabytes((await gateway.memory()).nowMb)}`,
    );
  }
  const seconds = (performance.now() - begun) / 1_000;
  clearInterval(sampling);
  await Promise.all([health.stop(), search.stop()]);

  const { peakMb } = await gateway.memory();
  const delayMs = Math.max(...delays);
  console.log(
    `\n${((runs * documentsPerRun) / seconds).toFixed(1)} documents a second, load ${loadavg()[0]?.toFixed(1)}`,
  );
  console.log(
    `memory: ${megabytes(Math.max(...memory))} while ingesting, at most ${megabytes(peakMb)} since the start`,
  );
  console.log(
    `event loop late by (p99 over 15–30 s): median ${quantile(delays, 0.5).toFixed(1)} ms, worst ${delayMs} ms`,
  );
  console.log(line('health every 20 ms', health));
  console.log(line('search every 500 ms', search));
  if (peakMb >= mostMemoryMb) faults.push(`${megabytes(peakMb)} of memory`);
  if (delayMs >= mostDelayMs) faults.push(`the event loop was late by ${delayMs} ms`);
  if (quantile(health.times, 0.99) >= mostHealthMs) faults.push('health was slow');
}

/** Starts a run and follows it to its end; returns how many progress events came. */
async function ingest(gateway: GatewayProcess, documents: readonly object[]): Promise<number> {
  const runId = randomUUID();
  const start = `mutation BenchIngest($input: StartIngestInput!) { startIngest(input: $input) { run { runId } } }`;
  await gateway.data(start, { input: { runId, documents } });
  const follow = `subscription BenchProgress($runId: UUID!) {
    runEvents(runId: $runId) {
      __typename
      ... on ProgressReported { done total }
      ... on RunFailed { error { message } }
      ... on RunFinished { run { ... on IngestRun { documentsDone failures { message } } } }
    }
  }`;
  let progress = 0;
  let end: IngestEvent | undefined;
  for await (const { runEvents } of gateway.subscribe<{ runEvents: IngestEvent }>(follow, { runId })) {
    if (runEvents.__typename === 'ProgressReported') progress += 1;
    end = runEvents;
  }
  const { documentsDone, failures } = end?.run ?? {};
  if (documentsDone !== documents.length) {
    throw new Error(`${documentsDone} of ${documents.length} ingested: ${JSON.stringify(failures ?? end?.error)}`);
  }
  return progress;
}

interface IngestEvent {
  readonly __typename: string;
  readonly run?: { readonly documentsDone: number; readonly failures: readonly { message: string }[] };
  readonly error?: { readonly message: string };
}

function line(name: string, { times }: Probe): string {
  const [p50, p99, worst] = [0.5, 0.99, 1].map((share) => quantile(times, share).toFixed(1));
  return `${name}: p50 ${p50} ms, p99 ${p99} ms, worst ${worst} ms (${times.length} answers)`;
}

function megabytes(count: number): string {
  return `${count.toFixed(0)} MB`;
}

function elapsed(since: number): string {
  return `${((performance.now() - since) / 1_000).toFixed(0)} s`;
}
