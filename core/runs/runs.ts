import pLimit from 'p-limit';
import type { Clock } from '../contracts/clock.ts';
import type { MessageRecord } from '../contracts/conversation-store.ts';
import type { EventLog, RunKey } from '../contracts/event-log.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { Logger } from '../contracts/logger.ts';
import type { RunKind } from '../contracts/run-event.ts';
import type { NewRun, NewTurn, RunRecord, RunStore, UnstoredRunStore } from '../contracts/run-store.ts';
import { untilAborted } from '../models/abortable.ts';
import { executeRun } from './execute-run.ts';
import { type Executor, LiveRun, type UnwatchedPolicy } from './live-run.ts';
import { cancelled, interrupted, runNotFound, sameInput, shuttingDown } from './run-error.ts';
import { RunLookups } from './run-lookups.ts';
import { Watchers } from './watchers.ts';

export interface RunLimits {
  /** Runs that execute at the same time in this process; more wait in a queue. */
  readonly maxRuns: number;
  readonly maxQueuedRuns: number;
  readonly unwatchedGraceMs: number;
}

export interface RunParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly log: EventLog;
  /** The truth of runs that are stored, and the memory of those that are not. */
  readonly stored: RunStore;
  readonly unstored: UnstoredRunStore;
  readonly executors: Readonly<Record<RunKind, Executor>>;
  readonly limits: RunLimits;
  /** How late the event loop runs: deltas are gathered for longer when it does. */
  readonly eventLoopLagMs?: () => number;
}

export interface StartRun {
  readonly run: NewRun;
  readonly stored: boolean;
  readonly turn: NewTurn | null;
  readonly whenUnwatched: UnwatchedPolicy;
  /** The run's own deadline, counted from its start. */
  readonly timeoutMs: number | null;
}

/** Starts, finds, watches and ends runs: one mechanism for every kind. */
export class Runs {
  readonly #parts: RunParts;
  readonly #live = new Map<string, LiveRun>();
  /** Starts on their way, by the id of their run: one at a time. Resolved when the run is live, or refused. */
  readonly #starting = new Map<string, Promise<void>>();
  readonly #watchers = new Watchers((id, count) => this.#live.get(id)?.watchedBy(count));
  readonly #lookups: RunLookups;
  readonly #limit: ReturnType<typeof pLimit>;
  /** Runs that are being claimed: they take room although they are not live yet. */
  #claiming = 0;
  /** The drain period has begun; nothing new is started. */
  #draining = false;
  /** The drain period is over; what is started all the same ends at once. */
  #drained = false;

  constructor(parts: RunParts) {
    this.#parts = parts;
    this.#lookups = new RunLookups(parts.stored);
    this.#limit = pLimit(parts.limits.maxRuns);
  }

  get log(): EventLog {
    return this.#parts.log;
  }

  /** Runs of this process that have not ended, the queued ones too. */
  get liveCount(): number {
    return this.#live.size;
  }

  /** Whether this process executes the run. */
  isLive(key: RunKey): boolean {
    return this.#live.has(mapKey(key));
  }

  /**
   * Claims the run's id and executes it in the background. The same id with the same input returns the run that has it
   * and spends nothing; with another input it is CONFLICT.
   */
  async start(request: StartRun): Promise<RunRecord> {
    const id = mapKey(request.run);
    for (let earlier = this.#starting.get(id); earlier; earlier = this.#starting.get(id)) await earlier;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#starting.set(id, promise);
    try {
      return await this.#claim(request);
    } finally {
      this.#starting.delete(id);
      resolve();
    }
  }

  async find(key: RunKey, signal?: AbortSignal): Promise<RunRecord | null> {
    const [unstored] = await this.#parts.unstored.byRunIds(key.tenant, [key.runId], signal);
    if (unstored !== undefined) return unstored;
    const stored = this.#lookups.find(key);
    return signal === undefined ? stored : untilAborted(stored, signal);
  }

  /** Those that exist, in no particular order. */
  async byRunIds(tenant: string, runIds: readonly string[], signal?: AbortSignal): Promise<readonly RunRecord[]> {
    const unstored = await this.#parts.unstored.byRunIds(tenant, runIds, signal);
    const found = new Set(unstored.map((run) => run.runId));
    const missing = runIds.filter((runId) => !found.has(runId));
    if (missing.length === 0) return unstored;
    return [...unstored, ...(await this.#parts.stored.byRunIds(tenant, missing, signal))];
  }

  /** The reply of a run with `store: false`, for as long as its log is kept. */
  unstoredReply(key: RunKey): Promise<MessageRecord | null> {
    return this.#parts.unstored.reply(key);
  }

  /** Stops the work and the provider call behind it, and waits for the end. A finished run is returned as it is. */
  async cancel(key: RunKey, signal: AbortSignal): Promise<RunRecord> {
    // A run that is being claimed may be in the store already, but nothing can stop it before it is live.
    await this.#starting.get(mapKey(key));
    this.#live.get(mapKey(key))?.abort(cancelled('Cancelled by cancelRun.'));
    const run = await this.find(key, signal);
    if (run === null) throw runNotFound(key.runId);
    return hasEnded(run) ? run : this.whenFinished(key, signal);
  }

  /** Counts a follower until it is disposed, so that `whenUnwatched` knows; also one that is there before its run. */
  watch(key: RunKey): Disposable {
    return this.#watchers.watch(mapKey(key));
  }

  /** The run once it has ended. Waiting for the end is following: it counts as a watcher. */
  async whenFinished(key: RunKey, signal: AbortSignal): Promise<RunRecord> {
    using _watching = this.watch(key);
    for (;;) {
      const live = this.#live.get(mapKey(key));
      if (live !== undefined) await untilAborted(live.finished, signal);
      const run = await this.find(key, signal);
      if (run === null) throw runNotFound(key.runId);
      if (hasEnded(run)) return run;
      if (!this.isLive(key)) await this.#parts.clock.sleep(250, signal);
    }
  }

  /** Ends what an earlier process left under way. Before anything else starts. */
  async failInterrupted(): Promise<number> {
    return (await this.#parts.stored.failInterrupted(interrupted)).length;
  }

  /**
   * Refuses new runs, gives those under way `drainMs` to end, then ends them as retryable. Starts that were on their way
   * when it was called are waited for too: when it resolves, nothing is left that could write.
   */
  async drain(drainMs: number): Promise<void> {
    this.#draining = true;
    const idle = this.#idle();
    const period = new AbortController();
    await Promise.race([idle, this.#parts.clock.sleep(drainMs, period.signal).catch(() => {})]);
    period.abort();
    this.#drained = true;
    for (const live of this.#live.values()) live.abort(shuttingDown());
    await idle;
  }

  async #idle(): Promise<void> {
    while (this.#starting.size + this.#live.size > 0) {
      await Promise.all([...this.#starting.values(), ...[...this.#live.values()].map((live) => live.finished)]);
    }
  }

  async #claim(request: StartRun): Promise<RunRecord> {
    const existing = await this.#existing(request);
    if (existing !== null) return existing;
    if (this.#draining || !this.#hasRoom()) {
      // Whoever asks again for a run that exists needs no room.
      const claimed = await this.find(request.run);
      if (claimed !== null) return sameInput(claimed, request.run.inputHash);
    }
    this.#assertRoom();
    this.#claiming += 1;
    try {
      const { run, created } = await this.#store(request.stored).claim(request.run, request.turn);
      if (!created) return sameInput(run, request.run.inputHash);
      this.#begin(run, request);
      return run;
    } finally {
      this.#claiming -= 1;
    }
  }

  async #existing({ run, stored }: StartRun): Promise<RunRecord | null> {
    // An unstored run looks in the database too: its id must not hide a stored run's. A stored one is claimed there anyway.
    const other = stored
      ? (await this.#parts.unstored.byRunIds(run.tenant, [run.runId]))[0]
      : await this.find({ tenant: run.tenant, runId: run.runId });
    return other ? sameInput(other, run.inputHash) : null;
  }

  #store(stored: boolean): RunStore {
    return stored ? this.#parts.stored : this.#parts.unstored;
  }

  #hasRoom(): boolean {
    const { maxRuns, maxQueuedRuns } = this.#parts.limits;
    return this.#live.size + this.#claiming < maxRuns + maxQueuedRuns;
  }

  #assertRoom(): void {
    if (this.#draining) throw shuttingDown();
    if (this.#hasRoom()) return;
    const { maxRuns, maxQueuedRuns } = this.#parts.limits;
    throw new GatewayError(
      'RATE_LIMITED',
      `${maxRuns} runs are under way and ${maxQueuedRuns} wait (limits.maxRuns, limits.maxQueuedRuns); try again later.`,
      { retryable: true, details: { retryAfterMs: 1_000, limit: maxRuns + maxQueuedRuns } },
    );
  }

  #begin(run: RunRecord, { whenUnwatched, timeoutMs, run: { input } }: StartRun): void {
    const id = mapKey(run);
    const live = new LiveRun(run, {
      policy: whenUnwatched,
      graceMs: this.#parts.limits.unwatchedGraceMs,
      timeoutMs,
      watchers: this.#watchers.count(id),
    });
    this.#live.set(id, live);
    this.#execute(live, input);
    if (this.#drained) live.abort(shuttingDown());
  }

  #execute(live: LiveRun, input: unknown): void {
    const { log, clock, logger, executors, eventLoopLagMs } = this.#parts;
    const parts = {
      log,
      clock,
      logger,
      eventLoopLagMs,
      store: this.#store(live.run.stored),
      executor: executors[live.run.kind],
    };
    let ending: Promise<void> | undefined;
    const begin = (): Promise<void> => {
      ending ??= executeRun(live, input, parts).finally(() => this.#forget(live));
      return ending;
    };
    // A run that is cancelled while it queues ends at once: it needs no slot for that.
    live.signal.addEventListener('abort', () => void begin(), { once: true });
    void this.#limit(begin);
  }

  #forget(live: LiveRun): void {
    this.#live.delete(mapKey(live.run));
    live.end();
  }
}

export function hasEnded(run: Pick<RunRecord, 'status'>): boolean {
  return run.status !== 'QUEUED' && run.status !== 'RUNNING';
}

const mapKey = ({ tenant, runId }: RunKey): string => `${tenant}\n${runId}`;
