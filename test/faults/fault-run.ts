import { setTimeout as sleep } from 'node:timers/promises';
import { randomNumbers } from '../../bench/batching/corpus.ts';
import { type FaultKind, inject, weights } from './fault-kinds.ts';
import { startFleet } from './fleet.ts';
import { ask, describe, observe, type RunOutcome, type RunPlan } from './traffic.ts';

export interface FaultRunOptions {
  readonly seed: number;
  readonly faults: number;
  /** Runs under way at any time. */
  readonly concurrent: number;
  readonly members?: number;
  readonly kinds?: readonly FaultKind[];
  readonly report?: (line: string) => void;
}

export interface FaultRunResult {
  readonly outcomes: readonly RunOutcome[];
  readonly injected: ReadonlyMap<FaultKind, number>;
  /** Faults that could not be made or mended. */
  readonly broken: readonly string[];
  /** Provider calls that are open when all runs have ended. */
  readonly openCalls: number;
  readonly underWay: number;
}

const leaseMs = 1_000;
/** A log that was lost some time before a run began is none of its affair. */
const aftermathMs = 5_000;
const createCollection = `mutation FaultsCollection($input: CreateCollectionInput!) { createCollection(input: $input) { collection { id } } }`;
const underWayQuery = `query FaultsUnderWay { queued: runs(status: QUEUED) { edges { cursor } } running: runs(status: RUNNING) { edges { cursor } } }`;

/** Traffic on a fleet, and one fault after the other at random moments; then everything must come to its right end. */
export async function faultRun(options: FaultRunOptions): Promise<FaultRunResult> {
  const { seed, faults, concurrent, members = 2, report = () => {} } = options;
  const random = randomNumbers(seed);
  const plan = randomNumbers(seed + 1);
  const kinds = options.kinds ?? (Object.keys(weights) as FaultKind[]);
  await using fleet = await startFleet({ members, leaseMs, skewMs: [5_000, -5_000, 0] });
  fleet.vendor.when(({ path }) => path === '/chat/completions', { reply: wordsAskedFor });
  await ask(fleet, createCollection, { input: { name: 'faults', embeddingModel: 'text-embedding-3-small' } });

  const outcomes: RunOutcome[] = [];
  const injected = new Map<FaultKind, number>();
  const broken: string[] = [];
  let lostAt = Number.NEGATIVE_INFINITY;
  let isOver = false;
  const traffic = Array.from({ length: concurrent }, async () => {
    while (!isOver) {
      const outcome = await observe(fleet, planOf(plan), (since) => lostAt + aftermathMs > since);
      outcomes.push(outcome);
      for (const wrong of outcome.wrongs) report(`WRONG ${outcome.plan.kind} ${outcome.runId}: ${wrong}`);
    }
  });
  for (let count = 0; count < faults; count += 1) {
    await sleep(200 + random() * 1_200);
    const kind = pick(kinds, random());
    injected.set(kind, (injected.get(kind) ?? 0) + 1);
    if (kind === 'redis-emptied') lostAt = Number.POSITIVE_INFINITY;
    try {
      await inject(kind, fleet, random, leaseMs);
    } catch (error) {
      broken.push(`${kind}: ${describe(error)}`);
      report(`BROKEN ${kind}: ${describe(error)}`);
    }
    if (kind === 'redis-emptied') lostAt = Date.now();
    if ((count + 1) % 10 === 0) report(`${count + 1} faults, ${outcomes.length} runs`);
  }
  isOver = true;
  await Promise.all(traffic);
  const { queued, running } = await ask<Record<'queued' | 'running', { edges: unknown[] }>>(fleet, underWayQuery, {});
  for (let tries = 0; fleet.vendor.inFlight > 0 && tries < 50; tries += 1) await sleep(100);
  const openCalls = fleet.vendor.inFlight;
  return { outcomes, injected, broken, openCalls, underWay: queued.edges.length + running.edges.length };
}

function planOf(random: () => number): RunPlan {
  const which = random();
  const kind = which < 0.65 ? 'chat' : which < 0.78 ? 'ingest' : which < 0.9 ? 'cancelled' : 'unstored';
  return { kind, tokens: 40 + Math.floor(random() * 160), followers: 1 + Math.floor(random() * 3) };
}

function pick(kinds: readonly FaultKind[], at: number): FaultKind {
  const total = kinds.reduce((sum, kind) => sum + weights[kind], 0);
  let rest = at * total;
  for (const kind of kinds) {
    rest -= weights[kind];
    if (rest < 0) return kind;
  }
  return kinds[0] ?? 'kill';
}

/** Whatever attempt it is, other words: a text that is put together from two would be seen. */
let replies = 0;
function wordsAskedFor(request: { readonly messages: readonly { readonly content: unknown }[] }): string {
  const count = Number(/say (\d+) words/.exec(JSON.stringify(request.messages.at(-1)?.content))?.[1] ?? 20);
  replies += 1;
  return Array.from({ length: count }, (_, index) => `r${replies}w${index}`).join(' ');
}

export function summary({ outcomes, injected, broken, openCalls, underWay }: FaultRunResult): string {
  const by = (of: (outcome: RunOutcome) => string) => {
    const counts = new Map<string, number>();
    for (const outcome of outcomes) counts.set(of(outcome), (counts.get(of(outcome)) ?? 0) + 1);
    return [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
  };
  const sum = (of: (outcome: RunOutcome) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const took = outcomes.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b);
  return [
    `faults:       ${[...injected].map(([kind, count]) => `${kind} ${count}`).join(', ')}`,
    `runs:         ${outcomes.length}: ${by(({ plan }) => plan.kind)}`,
    `ended as:     ${by(({ status }) => status)}`,
    `events seen:  ${sum(({ events }) => events)}, resets ${sum(({ resets }) => resets)}, gaps ${sum(({ gaps }) => gaps)}`,
    `slowest run:  ${took.at(-1)} ms, median ${took[Math.floor(took.length / 2)]} ms`,
    `wrong:        ${sum(({ wrongs }) => wrongs.length)} (events lost or doubled, runs without an end, texts that differ)`,
    `left behind:  ${openCalls} provider calls, ${underWay} runs under way`,
    `faults that could not be mended: ${broken.length}`,
  ].join('\n');
}
