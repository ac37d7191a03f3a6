import { setTimeout as sleep } from 'node:timers/promises';
import { type Fleet, startFleet } from './fleet.ts';
import { ask, observe, type RunOutcome, type RunPlan } from './traffic.ts';

export interface ScenarioResult {
  readonly outcomes: readonly RunOutcome[];
  /** Figures for people, by name. */
  readonly figures: Readonly<Record<string, number | string>>;
  /** What did not hold, beside what is wrong with an outcome. */
  readonly faults: readonly string[];
}

const never = () => false;
const chatOf = (tokens: number, followers = 1): RunPlan => ({ kind: 'chat', tokens, followers });

function plannedReplies(fleet: Fleet): void {
  let replies = 0;
  fleet.vendor.when(({ path }) => path === '/chat/completions', {
    reply: ({ messages }) => {
      const count = Number(/say (\d+) words/.exec(JSON.stringify(messages.at(-1)?.content))?.[1] ?? 20);
      replies += 1;
      return Array.from({ length: count }, (_, index) => `r${replies}w${index}`).join(' ');
    },
  });
}

/** Runs that are executed by A and followed at B; A is killed in the middle. */
export async function killedInstance(options: {
  readonly runs: number;
  readonly tokens: number;
  readonly leaseMs: number;
}): Promise<ScenarioResult> {
  const { runs, tokens, leaseMs } = options;
  await using fleet = await startFleet({ leaseMs, maxAttempts: 3 });
  plannedReplies(fleet);
  const [a, b] = fleet.members;
  if (a === undefined || b === undefined) throw new Error('a fleet of two');
  const all = fleet.urls();
  // Starts go to A alone, followers to B alone: until A has gone, which the second half of the traffic must not notice.
  const atA = { ...fleet, urls: () => (a.process() === null ? fleet.urls() : all.slice(0, 1)) };
  const atB = { ...fleet, urls: () => all.slice(1) };
  const watching = Array.from({ length: runs }, () => observe(atB, chatOf(tokens), never, atA));
  // Half of them at least: the first may have ended when the last begin.
  await until(() => fleet.vendor.inFlight >= Math.min(runs / 2, 500));
  await sleep((tokens / 60) * 500);
  const killedAt = Date.now();
  await a.kill();
  const outcomes = await Promise.all(watching);
  const lastEndMs = Date.now() - killedAt;
  const whole = outcomes.filter(({ wrongs, status }) => wrongs.length === 0 && status === 'SUCCEEDED').length;
  const faults =
    lastEndMs > leaseMs + 10_000 + (tokens / 60) * 1_000 ? [`the last end came after ${lastEndMs} ms`] : [];
  return {
    outcomes,
    figures: { runs, whole, resets: total(outcomes, 'resets'), 'last end after the kill, ms': lastEndMs },
    faults,
  };
}

/** An instance that stands still for longer than its lease, again and again, while it streams. */
export async function frozenInstance(options: {
  readonly times: number;
  readonly leaseMs: number;
}): Promise<ScenarioResult> {
  const { times, leaseMs } = options;
  await using fleet = await startFleet({ leaseMs, maxAttempts: 100 });
  plannedReplies(fleet);
  let isOver = false;
  const outcomes: RunOutcome[] = [];
  const traffic = Array.from({ length: 6 }, async () => {
    while (!isOver) outcomes.push(await observe(fleet, chatOf(60, 2), never));
  });
  for (let time = 0; time < times; time += 1) {
    // Long enough for a run of a second to end somewhere: otherwise all of them would only ever begin.
    await sleep(1_500);
    await fleet.members[time % 2]?.freeze(leaseMs * 1.6);
  }
  isOver = true;
  await Promise.all(traffic);
  const output = fleet.members.map((member) => member.process()?.output ?? '').join('');
  const lost = output.match(/"isRefused":(?:true|false)/g) ?? [];
  const refused = lost.filter((line) => line.includes('true')).length;
  return {
    outcomes,
    figures: {
      freezes: times,
      'attempts that lost their run': lost.length,
      'late writes refused': refused,
      runs: outcomes.length,
      resets: total(outcomes, 'resets'),
    },
    faults: [],
  };
}

/** One instance after the other is stopped and started under streams. */
export async function rollingRestart(options: {
  readonly streams: number;
  readonly rounds: number;
}): Promise<ScenarioResult> {
  const { streams, rounds } = options;
  await using fleet = await startFleet({ leaseMs: 10_000, drainMs: 2_000 });
  plannedReplies(fleet);
  let isOver = false;
  const outcomes: RunOutcome[] = [];
  const traffic = Array.from({ length: streams }, async () => {
    while (!isOver) outcomes.push(await observe(fleet, chatOf(180), never));
  });
  const faults: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const member of fleet.members) {
      await sleep(1_500);
      const exitCode = await member.stop();
      if (exitCode !== 0) faults.push(`instance ${member.name} ended with ${exitCode}`);
      await member.start();
    }
  }
  isOver = true;
  await Promise.all(traffic);
  const failed = outcomes.filter(({ status }) => status !== 'SUCCEEDED').length;
  if (failed > 0) faults.push(`${failed} runs failed`);
  return {
    outcomes,
    figures: { restarts: 2 * rounds, runs: outcomes.length, failed, resets: total(outcomes, 'resets') },
    faults,
  };
}

/** Redis is away under streams, and comes back with its data. */
export async function redisAway(options: {
  readonly streams: number;
  readonly awayMs: number;
}): Promise<ScenarioResult> {
  const { streams, awayMs } = options;
  await using fleet = await startFleet({ leaseMs: 10_000 });
  plannedReplies(fleet);
  const watching = Array.from({ length: streams }, () => observe(fleet, chatOf(600), never));
  await until(() => fleet.vendor.inFlight >= streams);
  await sleep(1_000);
  const before = await memoryOf(fleet);
  await fleet.redis.stop();
  await sleep(awayMs);
  const during = await memoryOf(fleet);
  await fleet.redis.start('kept');
  const outcomes = await Promise.all(watching);
  const complete = outcomes.filter(({ status }) => status === 'SUCCEEDED').length;
  return {
    outcomes,
    figures: {
      streams,
      complete,
      gaps: total(outcomes, 'gaps'),
      'memory before, MB': before,
      'memory at the end of the outage, MB': during,
    },
    faults: complete === streams ? [] : [`${streams - complete} streams did not complete`],
  };
}

/** Instances that start together on an empty database. */
export async function startedTogether(instances: number): Promise<ScenarioResult> {
  await using fleet = await startFleet({ members: instances });
  const ready = fleet.members.filter((member) => member.process() !== null).length;
  const { health } = await ask<{ health: { ok: boolean } }>(fleet, 'query FaultsHealth { health { ok } }', {});
  return {
    outcomes: [],
    figures: { instances, ready },
    faults: ready === instances && health.ok ? [] : [`${ready} of ${instances} were ready`],
  };
}

async function memoryOf(fleet: Fleet): Promise<number> {
  const all = await Promise.all(fleet.members.map((member) => member.process()?.memory()));
  return Math.round(Math.max(...all.map((memory) => memory?.nowMb ?? 0)));
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 600) throw new Error('it did not come to that within a minute');
    await sleep(100);
  }
}

const total = (outcomes: readonly RunOutcome[], of: 'resets' | 'gaps'): number =>
  outcomes.reduce((sum, outcome) => sum + outcome[of], 0);
