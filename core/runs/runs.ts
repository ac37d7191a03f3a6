import type { MessageRecord } from '../contracts/conversation-store.ts';
import type { EventLog, RunKey } from '../contracts/event-log.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { RunSlot } from '../contracts/run-slots.ts';
import {
  isEnd,
  type NewRun,
  type NewTurn,
  type RunRecord,
  type RunStore,
  type TakenRun,
} from '../contracts/run-store.ts';
import { untilAborted } from '../models/calls/abortable.ts';
import { endElsewhere } from './end-elsewhere.ts';
import { Executions } from './executions.ts';
import { Followers } from './followers.ts';
import { Membership } from './membership.ts';
import { cancelled, parkedTooLong, runNotFound, sameInput, shuttingDown } from './run-error.ts';
import { mapKey } from './run-key.ts';
import { RunLookups } from './run-lookups.ts';
import type { RunParts } from './run-parts.ts';
import { traceStart } from './run-trace.ts';

export interface StartRun {
  readonly run: NewRun;
  readonly stored: boolean;
  readonly turn: NewTurn | null;
  /** The gateway has just made its id up: no other run can have it. */
  readonly hasNewId?: boolean;
}

/** Starts, finds, watches and ends runs: one mechanism for every kind. */
export class Runs {
  readonly #parts: RunParts;
  readonly #executions: Executions;
  readonly #membership: Membership;
  readonly #followers: Followers;
  readonly #lookups: RunLookups;
  /** Starts on their way, by the id of their run: one at a time. Resolved when the run is live, or refused. */
  readonly #starting = new Map<string, Promise<void>>();
  /** Runs that are being claimed: they take room although they are not live yet. */
  #claiming = 0;
  /** The drain period has begun; nothing new is started. */
  #draining = false;

  constructor(parts: RunParts) {
    this.#parts = parts;
    this.#followers = new Followers(parts.signals, (key) => this.#executions.of(key));
    this.#executions = new Executions(parts, {
      left: (run) => this.#followers.moved(run),
      claimable: () => this.hurry(),
    });
    this.#membership = new Membership(parts, parts.membership, this.#executions, {
      taken: (taken) => this.#goOn(taken),
      cancel: (key, reason) => this.#executions.of(key)?.abort(cancelled(reason)),
    });
    this.#lookups = new RunLookups(parts.stored);
    parts.signals.listen((signal) => {
      if (signal.type === 'cancel') this.#executions.of(signal.key)?.abort(cancelled(signal.reason));
      if (signal.type === 'answered') this.#executions.of(signal.key)?.bell.ring();
    });
  }

  get log(): EventLog {
    return this.#parts.log;
  }

  /** Runs of this process that have not ended, the queued ones too. */
  get liveCount(): number {
    return this.#executions.size;
  }

  /** Those of them that wait for a slot. */
  get queuedCount(): number {
    return this.#executions.queued;
  }

  /** Whether this process executes the run. */
  isLive(key: RunKey): boolean {
    return this.#executions.of(key) !== undefined;
  }

  /**
   * Enters among the instances of the database, before anything is started, and goes on with what dead ones left. Null
   * once it is in, else the instance that must go first.
   */
  enter(): Promise<{ readonly instance: string; readonly alone: boolean } | null> {
    return this.#membership.enter();
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

  /** Where those that are not stored cannot be asked for now, what is stored is found all the same. */
  async find(key: RunKey, signal?: AbortSignal): Promise<RunRecord | null> {
    const unstored = await this.#unstored(key.tenant, [key.runId], signal);
    if (unstored.runs[0] !== undefined) return unstored.runs[0];
    const looking = this.#lookups.find(key);
    const stored = await (signal === undefined ? looking : untilAborted(looking, signal));
    if (stored === null && unstored.error !== null) throw unstored.error;
    return stored;
  }

  /** Those that exist, in no particular order. */
  async byRunIds(tenant: string, runIds: readonly string[], signal?: AbortSignal): Promise<readonly RunRecord[]> {
    const unstored = await this.#unstored(tenant, runIds, signal);
    const found = new Set(unstored.runs.map((run) => run.runId));
    const missing = runIds.filter((runId) => !found.has(runId));
    if (missing.length === 0) return unstored.runs;
    const stored = await this.#parts.stored.byRunIds(tenant, missing, signal);
    if (stored.length < missing.length && unstored.error !== null) throw unstored.error;
    return [...unstored.runs, ...stored];
  }

  /** The reply of a run with `store: false`, for as long as its log is kept. */
  unstoredReply(key: RunKey): Promise<MessageRecord | null> {
    return this.#parts.unstored.reply(key);
  }

  /**
   * Stops the work and the provider call behind it, wherever it is done, and waits for the end. A finished run is
   * returned as it is.
   */
  async cancel(key: RunKey, signal: AbortSignal): Promise<RunRecord> {
    // A run that is being claimed may be in the store already, but nothing can stop it before it is live.
    await this.#starting.get(mapKey(key));
    const reason = 'Cancelled by cancelRun.';
    const live = this.#executions.of(key);
    live?.abort(cancelled(reason));
    const run = await this.find(key, signal);
    if (run === null) throw runNotFound(key.runId);
    if (hasEnded(run)) return run;
    // One that is live here may have parked before it heard of it.
    if ((live === undefined || run.stored) && (await this.#store(run.stored).requestCancel(key, reason))) {
      if (live === undefined)
        this.#parts.signals.send({ type: 'cancel', key: { tenant: key.tenant, runId: key.runId }, reason });
      this.hurry();
    }
    return this.whenFinished(key, signal);
  }

  /** A call of the run was answered: it goes on wherever it is executed, or is taken over where it was parked. */
  answered({ tenant, runId }: RunKey): void {
    this.#executions.of({ tenant, runId })?.bell.ring();
    this.#parts.signals.send({ type: 'answered', key: { tenant, runId } });
    this.hurry();
  }

  /** Runs were given away: whichever instance has room looks for them at once. */
  hurry(): void {
    this.#membership.hurry();
    this.#parts.signals.send({ type: 'released' });
  }

  /** Counts a follower until it is disposed, so that `whenUnwatched` knows; also one that is there before its run. */
  watch(key: RunKey): Disposable {
    return this.#followers.watch(key);
  }

  /** The run once it has ended. Waiting for the end is following: it counts as a watcher. */
  async whenFinished(key: RunKey, signal: AbortSignal): Promise<RunRecord> {
    using _watching = this.watch(key);
    for (;;) {
      const live = this.#executions.of(key);
      if (live !== undefined) await untilAborted(live.finished, signal);
      const run = await this.find(key, signal);
      if (run === null) throw runNotFound(key.runId);
      if (hasEnded(run)) return run;
      if (!this.isLive(key)) await endElsewhere(this.#parts, key, signal);
    }
  }

  /**
   * Refuses new runs and gives those under way `drainMs` to end. Then they are handed over to the other instances, or,
   * where there can be none, ended as retryable. Starts that were on their way when it was called are waited for too:
   * when it resolves, nothing is left that could write.
   */
  async drain(drainMs: number): Promise<void> {
    this.#draining = true;
    this.#membership.retire();
    const idle = this.#idle();
    const period = new AbortController();
    await Promise.race([idle, this.#parts.clock.sleep(drainMs, period.signal).catch(() => {})]);
    period.abort();
    this.#executions.stop(this.#parts.membership.alone ? 'end' : 'hand-over');
    await idle;
    await this.#membership.leave();
  }

  async #idle(): Promise<void> {
    while (this.#starting.size + this.#executions.size > 0) {
      await Promise.all([...this.#starting.values(), this.#executions.settled()]);
    }
  }

  async #claim(request: StartRun): Promise<RunRecord> {
    const existing = request.hasNewId ? null : await this.#existing(request);
    if (existing !== null) return existing;
    if (this.#draining || this.#claiming >= this.#executions.room) {
      // Whoever asks again for a run that exists needs no room.
      const claimed = await this.find(request.run);
      if (claimed !== null) return sameInput(claimed, request.run.inputHash);
    }
    if (this.#draining) throw shuttingDown();
    this.#executions.assertRoom(this.#claiming);
    this.#claiming += 1;
    let slot: RunSlot | null = null;
    try {
      const { run, stored, turn } = request;
      const taking = this.#slot(request);
      slot = taking instanceof Promise ? await taking : taking;
      return await traceStart(run, async (traceparent) => {
        const claim = await this.#store(stored).claim({ ...run, traceparent }, turn, this.#parts.instance);
        if (!claim.created) return sameInput(claim.run, run.inputHash);
        const watchers = this.#followers.count(run);
        this.#executions.begin(claim.run, { ...run, traceparent: null, watchers, slot });
        slot = null;
        return claim.run;
      });
    } finally {
      this.#claiming -= 1;
      void slot?.free();
    }
  }

  /** Null: the run is not limited, or is there already, and is only asked for again. */
  #slot({ run }: StartRun): RunSlot | null | Promise<RunSlot | null> {
    const taking = this.#parts.slots?.take(run) ?? null;
    if (!(taking instanceof Promise)) return taking;
    return taking.catch(async (error: unknown) => {
      if ((await this.find(run)) !== null) return null;
      throw error;
    });
  }

  async #existing({ run, stored }: StartRun): Promise<RunRecord | null> {
    // An unstored run looks in the database too: its id must not hide a stored run's. A stored one is claimed there anyway,
    // also while it cannot be known whether an unstored one has its id.
    const other = stored
      ? (await this.#unstored(run.tenant, [run.runId])).runs[0]
      : await this.find({ tenant: run.tenant, runId: run.runId });
    return other ? sameInput(other, run.inputHash) : null;
  }

  async #unstored(
    tenant: string,
    runIds: readonly string[],
    signal?: AbortSignal,
  ): Promise<{ readonly runs: readonly RunRecord[]; readonly error: GatewayError | null }> {
    try {
      return { runs: await this.#parts.unstored.byRunIds(tenant, runIds, signal), error: null };
    } catch (error) {
      if (signal?.aborted || !(error instanceof GatewayError && error.retryable)) throw error;
      return { runs: [], error };
    }
  }

  #goOn({ run, cancelReason, waitExpired, ...execution }: TakenRun): void {
    const slot = Promise.resolve(this.#parts.slots?.takeOver(run) ?? null).catch((error: unknown) => {
      this.#parts.logger.warn({ runId: run.runId, tenant: run.tenant, error }, 'a run goes on without being counted');
      return null;
    });
    const live = this.#executions.begin(run, { ...execution, watchers: this.#followers.count(run), slot });
    if (cancelReason !== null) live.abort(cancelled(cancelReason));
    else if (waitExpired) live.abort(parkedTooLong(this.#parts.parkedTimeoutMs));
  }

  #store(stored: boolean): RunStore {
    return stored ? this.#parts.stored : this.#parts.unstored;
  }
}

export function hasEnded(run: Pick<RunRecord, 'status'>): boolean {
  return isEnd(run.status);
}
