import { availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { startPostgresServer } from '../../test/helpers/postgres-server.ts';
import { observe } from './correctness.ts';
import { heldFigures, heldTitle, measureHeld } from './held.ts';
import { type Line, lines } from './lines.ts';
import { median, plainCalls, streams } from './measures.ts';
import { noPeer, type Peer, type RunningPeers, startPortkey, startRelay, startSluice } from './peers.ts';
import { type Columns, type Medians, printHead, printLine } from './table.ts';
import { startBenchVendor } from './vendor-control.ts';

/**
 * Ours beside a bare relay, which is the floor, and Portkey's gateway from npm: the same provider, the same client, a process
 * each, round by round in turn. Prints medians over the rounds as a table of Markdown, the ratios to the relay and to Portkey
 * beside ours, and the aims that are missed. Needs PostgreSQL with pgvector for the columns of stored runs.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    /** Names of lines, held and correctness among them, separated by commas. */
    only: { type: 'string' },
    stored: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const rounds = Number(values.rounds);
const only = values.only?.split(',');
const wanted = (name: string): boolean => only === undefined || only.includes(name);

const warmUpCalls = 2_000;

const begun = performance.now();
await using closing = new AsyncDisposableStack();
const vendor = closing.use(await startBenchVendor());
const postgres = values.stored ? closing.use(await startPostgresServer()) : null;
const starts = {
  relay: () => startRelay(vendor.url),
  portkey: () => startPortkey(vendor.url),
  sluice: () => startSluice({ vendorUrl: vendor.url, store: false }),
  stored: (databaseUrl: string) => startSluice({ vendorUrl: vendor.url, store: true, databaseUrl }),
};

console.log(
  `${new Date().toISOString().slice(0, 10)}, ${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown processor'}, Node ${process.version}, load average ${loadavg()[0]?.toFixed(1)} at the start; ${rounds} rounds; Sluice with LOG_LEVEL=warn\n`,
);
const missed: string[] = [];
const columns = await compareLines();
if (wanted('held')) missed.push(...(await compareHeld(columns)));
if (wanted('correctness')) await showCorrectness();
console.log(missed.length === 0 ? '\nEvery aim is met.' : `\nMissed:\n${missed.map((line) => `- ${line}`).join('\n')}`);
console.log(`\n${((performance.now() - begun) / 60_000).toFixed(1)} minutes`);

async function compareLines(): Promise<Columns> {
  await using running = new AsyncDisposableStack();
  const [relay] = running.use(await starts.relay()).peers;
  const [portkey] = running.use(await starts.portkey()).peers;
  const ours = running.use(await starts.sluice()).peers;
  const stored = postgres === null ? [] : running.use(await starts.stored(postgres.url)).peers.slice(0, 1);
  if (relay === undefined || portkey === undefined) throw new Error('a peer is missing');
  const names: Columns = {
    relay: relay.name,
    portkey: portkey.name,
    ours: ours.map(({ name }) => name),
    stored: stored.map(({ name }) => name),
  };
  const peers = [noPeer(vendor.url), relay, portkey, ...ours, ...stored];
  printHead(names);
  const chosen = lines.filter(({ name }) => wanted(name));
  if (chosen.length > 0) await warmUp(peers);
  for (const line of chosen) {
    const measured = line.byTransport ? peers : peers.filter(({ name }) => name !== ours[1]?.name);
    missed.push(...printLine(line.title, line.figures, await mediansOf(line, measured), names));
  }
  return names;
}

/** What runs for the first time is slow in every process. By calls, not by time: a slow machine warms nobody up in a second. */
async function warmUp(peers: readonly Peer[]): Promise<void> {
  for (const peer of peers) {
    await vendor.behave({});
    for (let calls = 0; calls < warmUpCalls; calls += (await plainCalls(peer, 64, 500)).addedMs.length);
    await vendor.behave({ tokens: 1_000 });
    await streams(peer, 16, 1_000);
    await vendor.behave({ tokens: 100, tokensPerSecond: 100 });
    await streams(peer, 16, 100);
  }
}

async function mediansOf(line: Line, peers: readonly Peer[]): Promise<Medians> {
  await line.prepare(vendor);
  const seen = new Map<string, Readonly<Record<string, number>>[]>();
  for (let round = 0; round < rounds; round += 1) {
    const [alone, ...others] = peers;
    if (alone === undefined) break;
    const floor = await line.measure(alone);
    // Each round begins with another one, so that nobody always comes after the same neighbour.
    for (const [index] of others.entries()) {
      const peer = others[(index + round) % others.length];
      if (peer === undefined) continue;
      const figures = await line.measure(peer);
      const own = Object.entries(figures).map(([key, value]) => [
        key,
        key.startsWith('added') ? value - (floor[key] ?? 0) : value,
      ]);
      seen.set(peer.name, [...(seen.get(peer.name) ?? []), Object.fromEntries(own)]);
    }
  }
  return mediansIn(seen);
}

function mediansIn(seen: ReadonlyMap<string, readonly Readonly<Record<string, number>>[]>): Medians {
  return new Map(
    [...seen].map(([name, figures]) => {
      const keys = Object.keys(figures[0] ?? {});
      return [name, Object.fromEntries(keys.map((key) => [key, median(figures.map((own) => own[key] ?? Number.NaN))]))];
    }),
  );
}

async function compareHeld(names: Columns): Promise<string[]> {
  const seen = new Map<string, Readonly<Record<string, number>>[]>();
  const all: [string, () => Promise<RunningPeers>][] = [
    [names.relay, starts.relay],
    [names.portkey, starts.portkey],
    ...names.ours.map((name): [string, () => Promise<RunningPeers>] => [name, starts.sluice]),
    ...names.stored.map((name): [string, () => Promise<RunningPeers>] => [
      name,
      () => starts.stored(postgres?.url ?? ''),
    ]),
  ];
  for (let round = 0; round < Math.min(3, rounds); round += 1) {
    for (const [name, start] of all) {
      const figures = await measureHeld(start, (peers) => peers.find((peer) => peer.name === name), vendor);
      seen.set(name, [...(seen.get(name) ?? []), figures]);
    }
  }
  return printLine(heldTitle, heldFigures, mediansIn(seen), names);
}

async function showCorrectness(): Promise<void> {
  const idleMs = 2_000;
  console.log('\n| | a stream that the provider cuts | one that falls silent | `Retry-After: 2`, tried again after |');
  console.log('| --- | --- | --- | --- |');
  for (const start of [
    starts.relay,
    () => startPortkey(vendor.url, { attempts: 3, use_retry_after_header: true }),
    () => startSluice({ vendorUrl: vendor.url, store: false, idleMs }),
  ]) {
    await using running = await start();
    for (const peer of running.peers) {
      const { cut, silent, retryAfter } = await observe(peer, vendor);
      console.log(`| ${peer.name} | ${cut} | ${silent} | ${retryAfter} |`);
    }
  }
  console.log(`\nSluice was started with timeouts.idleMs ${idleMs}.`);
}
