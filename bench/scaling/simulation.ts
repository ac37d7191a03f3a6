import { randomNumbers } from '../batching/corpus.ts';
import { Schedule } from './schedule.ts';

export interface SimulationOptions {
  readonly instances: number;
  readonly runsPerInstance: number;
  readonly leaseMs: number;
  readonly seed: number;
  /** Instances that are killed, at random moments or all at the same one (a zone that fails). Each is restarted, empty. */
  readonly kills: number;
  readonly killedTogether?: boolean;
  /** Instances that are stopped for longer than their lease, and then wake up. */
  readonly stalls: number;
  /** How long a chat takes; it ends and another one begins. */
  readonly meanRunMs: number;
  /** How long a statement lasts that finds nothing, and one that takes runs. */
  readonly lookMs: number;
  readonly takeMs: number;
  /** limits.maxRuns + limits.maxQueuedRuns */
  readonly room: number;
  /** How many of the dead a statement locks: all of them, as adapters/postgres/takeovers.ts does, or fewer. */
  readonly deadPerLook?: number;
  /** False: statements would not skip the dead whom another one is at. Shows what the lock is for. */
  readonly skipLocked?: boolean;
}

export interface SimulationResult {
  readonly seconds: number;
  /** Of each run that was taken: from the failure of its instance until another one had it. */
  readonly takeoverMs: readonly number[];
  readonly statements: Readonly<Record<'heartbeats' | 'looks' | 'takeovers' | 'claims' | 'ends', number>>;
  /** Runs whose instance was killed; how many of them were taken, and how many nobody took. */
  readonly lost: number;
  readonly taken: number;
  readonly leftOver: number;
  /** Runs that two instances took at the same time. */
  readonly takenTwice: number;
  /** Of each killed instance: the share of its runs that went to one and the same other. */
  readonly largestShares: readonly number[];
}

/** As in core/runs: a heartbeat every third of a lease, 32 runs a statement. */
const beatsPerLease = 3;
const mostAtOnce = 32;
/** Failures come over so many leases, and so many more pass in which the last run must have been taken. */
const failingLeases = 10;
const settlingLeases = 5;

interface Instance {
  state: 'alive' | 'stalled' | 'dead';
  failedAtMs: number;
  leaseUntilMs: number;
  lastBeatMs: number;
  /** Its row is locked by a takeover until then. */
  lockedUntilMs: number;
  readonly runs: number[];
  /** After its failure: who has taken how many of its runs. */
  takers: Map<Instance, number>;
}

/**
 * The instances of core/runs on one database, event by event: heartbeats, looks for the runs of the dead (whose rows are locked for
 * the length of a statement, so that others skip them), kills, and processes that are stopped and wake up.
 */
export function simulate(options: SimulationOptions): SimulationResult {
  const { leaseMs, runsPerInstance, meanRunMs, lookMs, takeMs, room } = options;
  const { deadPerLook = Number.POSITIVE_INFINITY, skipLocked = true } = options;
  const random = randomNumbers(options.seed);
  const schedule = new Schedule();
  const instances: Instance[] = [];
  /** The only ones that a look can find: not alive, and with runs. */
  const failed = new Set<Instance>();
  const statements = { heartbeats: 0, looks: 0, takeovers: 0, claims: 0, ends: 0 };
  const takeoverMs: number[] = [];
  const largestShares: number[] = [];
  const counts = { lost: 0, taken: 0, takenTwice: 0 };
  let nextRun = 0;

  function begin(runs: number): void {
    const instance: Instance = {
      ...{ state: 'alive', failedAtMs: 0, lockedUntilMs: 0, takers: new Map() },
      ...{ leaseUntilMs: schedule.nowMs + leaseMs, lastBeatMs: schedule.nowMs },
      runs: Array.from({ length: runs }, () => nextRun++),
    };
    instances.push(instance);
    schedule.after((random() * leaseMs) / beatsPerLease, () => beat(instance));
    schedule.after(random() * leaseMs, () => look(instance));
  }

  function beat(instance: Instance): void {
    if (instance.state !== 'alive') return;
    // The statement waits for a row that is locked.
    const waitMs = instance.lockedUntilMs - schedule.nowMs;
    if (waitMs > 0) {
      schedule.after(waitMs, () => beat(instance));
      return;
    }
    statements.heartbeats += 1;
    turnOver(instance);
    instance.leaseUntilMs = schedule.nowMs + leaseMs;
    schedule.after(leaseMs / beatsPerLease, () => beat(instance));
  }

  /** Chats that ended since the last time, and new ones in their place. */
  function turnOver(instance: Instance, begins = true): void {
    const { runs } = instance;
    const mean = (runs.length * (schedule.nowMs - instance.lastBeatMs)) / meanRunMs;
    instance.lastBeatMs = schedule.nowMs;
    const ended = Math.min(runs.length, Math.floor(mean) + (random() < mean % 1 ? 1 : 0));
    for (let count = 0; count < ended; count += 1) {
      const last = runs.pop() ?? 0;
      const index = Math.floor(random() * (runs.length + 1));
      if (index < runs.length) runs[index] = last;
    }
    const toBegin = begins ? Math.max(0, runsPerInstance - runs.length) : 0;
    for (let count = 0; count < toBegin; count += 1) runs.push(nextRun++);
    statements.ends += ended;
    statements.claims += toBegin;
  }

  function look(instance: Instance): void {
    if (instance.state === 'dead') return;
    const limit = instance.state === 'stalled' ? 0 : Math.min(mostAtOnce, room - instance.runs.length);
    if (limit <= 0) {
      rest(instance);
      return;
    }
    const dead = expired();
    const chosen = dead.flatMap((from) => from.runs.map((run) => ({ run, from }))).slice(0, limit);
    statements[chosen.length > 0 ? 'takeovers' : 'looks'] += 1;
    const lastsMs = chosen.length > 0 ? takeMs : lookMs;
    for (const other of dead) other.lockedUntilMs = schedule.nowMs + lastsMs;
    schedule.after(lastsMs, () => {
      for (const { run, from } of chosen) move(run, from, instance);
      if (chosen.length === limit) look(instance);
      else rest(instance);
    });
  }

  function rest(instance: Instance): void {
    schedule.after(leaseMs * (0.25 + random() / 2), () => look(instance));
  }

  function expired(): Instance[] {
    const found = [...failed].filter(
      ({ leaseUntilMs, lockedUntilMs }) =>
        leaseUntilMs < schedule.nowMs && !(skipLocked && lockedUntilMs > schedule.nowMs),
    );
    const first = Math.floor(random() * found.length);
    return [...found.slice(first), ...found.slice(0, first)].slice(0, deadPerLook);
  }

  /** At the commit of the statement. */
  function move(run: number, from: Instance, to: Instance): void {
    const index = from.runs.indexOf(run);
    if (index < 0) {
      counts.takenTwice += 1;
      return;
    }
    from.runs.splice(index, 1);
    to.runs.push(run);
    from.takers.set(to, (from.takers.get(to) ?? 0) + 1);
    takeoverMs.push(schedule.nowMs - from.failedAtMs);
    if (from.state === 'dead') counts.taken += 1;
    // It died between its statement and the answer: the run is lost once more.
    if (to.state === 'dead') {
      counts.lost += 1;
      failed.add(to);
    }
    if (from.runs.length > 0) return;
    failed.delete(from);
    const all = [...from.takers.values()];
    if (from.state === 'dead') largestShares.push(Math.max(...all) / all.reduce((sum, count) => sum + count, 0));
  }

  function fail(state: 'stalled' | 'dead'): void {
    const alive = instances.filter((instance) => instance.state === 'alive' && instance.runs.length > 0);
    const instance = alive[Math.floor(random() * alive.length)];
    // The last one is spared: nobody would be left to take over.
    if (instance === undefined || alive.length < 2) return;
    turnOver(instance, false);
    Object.assign(instance, { state, failedAtMs: schedule.nowMs, takers: new Map() });
    if (instance.runs.length > 0) failed.add(instance);
    if (state === 'stalled') {
      schedule.after(leaseMs * 1.5, () => wake(instance));
    } else {
      counts.lost += instance.runs.length;
      schedule.after(leaseMs / 2, () => begin(0));
    }
  }

  /** It keeps what nobody has taken. */
  function wake(instance: Instance): void {
    Object.assign(instance, { state: 'alive', lastBeatMs: schedule.nowMs });
    failed.delete(instance);
    beat(instance);
  }

  const someTime = (): number => leaseMs * (1 + random() * failingLeases);
  const together = someTime();
  for (let count = 0; count < options.instances; count += 1) begin(runsPerInstance);
  for (let count = 0; count < options.kills; count += 1)
    schedule.after(options.killedTogether ? together : someTime(), () => fail('dead'));
  for (let count = 0; count < options.stalls; count += 1) schedule.after(someTime(), () => fail('stalled'));
  const untilMs = leaseMs * (1 + failingLeases + settlingLeases);
  schedule.runUntil(untilMs);

  const leftOver = [...failed].reduce((sum, { runs }) => sum + runs.length, 0);
  return { ...counts, takeoverMs, statements, leftOver, largestShares, seconds: untilMs / 1_000 };
}
