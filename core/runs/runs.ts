import pLimit from 'p-limit';
import type { Clock } from '../contracts/clock.ts';
import type { MessageRecord } from '../contracts/conversation-store.ts';
import type { EventLog, RunKey } from '../contracts/event-log.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { Logger } from '../contracts/logger.ts';
import type { RunKind } from '../contracts/run-event.ts';
import type { NewRun, NewTurn, RunRecord, RunStore, UnstoredRunStore } from '../contracts/run-store.ts';
import { executeRun } from './execute-run.ts';
import { type Executor, LiveRun, type UnwatchedPolicy } from './live-run.ts';
import { cancelled, interrupted, shuttingDown } from './run-error.ts';

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
  readonly #limit: ReturnType<typeof pLimit>;
  #draining = false;

  constructor(parts: RunParts) {
    this.#parts = parts;
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
    const existing = await this.#existing(request);
    if (existing !== null) return existing;
    if (!this.#hasRoom()) {
      // Whoever asks again for a run that exists needs no room.
      const claimed = await this.find(request.run);
      if (claimed !== null) return sameInput(claimed, request.run.inputHash);
    }
    this.#assertRoom();
    const { run, created } = await this.#store(request.stored).claim(request.run, request.turn);
    if (!created) return sameInput(run, request.run.inputHash);
    const live = new LiveRun(run, {
      policy: request.whenUnwatched,
      graceMs: this.#parts.limits.unwatchedGraceMs,
      timeoutMs: request.timeoutMs,
    });
    this.#live.set(mapKey(run), live);
    this.#execute(live, request.run.input);
    return run;
  }

  async find(key: RunKey, signal?: AbortSignal): Promise<RunRecord | null> {
    return (await this.byRunIds(key.tenant, [key.runId], signal))[0] ?? null;
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
    this.#live.get(mapKey(key))?.abort(cancelled('Cancelled by cancelRun.'));
    const run = await this.find(key, signal);
    if (run === null) throw runNotFound(key.runId);
    return hasEnded(run) ? run : this.whenFinished(key, signal);
  }

  /** Counts a follower, so that `whenUnwatched` knows. */
  watch(key: RunKey): Disposable {
    return this.#live.get(mapKey(key))?.watch() ?? { [Symbol.dispose]: () => {} };
  }

  /** The run once it has ended. Waiting for the end is following: it counts as a watcher. */
  async whenFinished(key: RunKey, signal: AbortSignal): Promise<RunRecord> {
    using _watching = this.watch(key);
    for (;;) {
      const run = await this.find(key, signal);
      if (run === null) throw runNotFound(key.runId);
      if (hasEnded(run)) return run;
      const live = this.#live.get(mapKey(key));
      await (live === undefined ? this.#parts.clock.sleep(250, signal) : untilAborted(live.finished, signal));
    }
  }

  /** Ends what an earlier process left under way. Before anything else starts. */
  async failInterrupted(): Promise<number> {
    return (await this.#parts.stored.failInterrupted(interrupted)).length;
  }

  /** Refuses new runs, gives those under way `drainMs` to end, then ends them as retryable. */
  async drain(drainMs: number): Promise<void> {
    this.#draining = true;
    const all = Promise.all([...this.#live.values()].map((live) => live.finished));
    const period = new AbortController();
    await Promise.race([all, this.#parts.clock.sleep(drainMs, period.signal).catch(() => {})]);
    period.abort();
    for (const live of this.#live.values()) live.abort(shuttingDown());
    await all;
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
    return this.#live.size < maxRuns + maxQueuedRuns;
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

export const runNotFound = (runId: string): GatewayError => new GatewayError('NOT_FOUND', `There is no run ${runId}.`);

const mapKey = ({ tenant, runId }: RunKey): string => `${tenant}\n${runId}`;

function sameInput(run: RunRecord, hash: string): RunRecord {
  if (run.inputHash === hash) return run;
  throw new GatewayError('CONFLICT', `runId ${run.runId} was used before with another input.`, {
    details: { runId: run.runId },
  });
}

function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', onAbort));
}
