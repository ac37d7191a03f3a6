import type { RunKey } from '../contracts/event-log.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { RunSlot } from '../contracts/run-slots.ts';
import type { RunRecord, RunStore, UnwatchedPolicy } from '../contracts/run-store.ts';
import { executeRun } from './execute-run.ts';
import { type Executor, LiveRun } from './live-run.ts';
import type { ParkPatch } from './park.ts';
import { shuttingDown } from './run-error.ts';
import { mapKey } from './run-key.ts';
import type { RunParts } from './run-parts.ts';
import { Turns } from './turns.ts';

export interface Execution {
  readonly input: unknown;
  readonly whenUnwatched: UnwatchedPolicy;
  readonly timeoutMs: number | null;
  /** How many follow it already. */
  readonly watchers: number;
  /** Of its start, for one that was taken over. */
  readonly traceparent: string | null;
  /** Its place among those of its key; null: there is no such limit. Of a run that was taken over it is taken beside the work. */
  readonly slot: RunSlot | null | Promise<RunSlot | null>;
}

/** Of text to its reader: 40 streams at once are written every 44 ms, one alone every 20. */
const lagPerRunMs = 0.6;

/** The runs that this process executes: at most `maxRuns` at once, the others in a queue. */
export class Executions {
  readonly #parts: RunParts;
  readonly #onLeft: (run: RunRecord) => void;
  readonly #onClaimable: () => void;
  readonly #live = new Map<string, LiveRun>();
  readonly #turns: Turns;
  /** What to do with the runs when the drain period is over; null before. */
  #afterDrain: 'hand-over' | 'end' | null = null;

  /**
   * `left` hears of each run that is not executed here any more, ended or not; `claimable`, that one was given away which any
   * instance may take at once.
   */
  constructor(parts: RunParts, on: { readonly left: (run: RunRecord) => void; readonly claimable: () => void }) {
    this.#parts = parts;
    this.#onLeft = on.left;
    this.#onClaimable = on.claimable;
    this.#turns = new Turns(parts.limits.maxRuns);
  }

  /** The queued ones too. */
  get size(): number {
    return this.#live.size;
  }

  get room(): number {
    return this.#parts.limits.maxRuns + this.#parts.limits.maxQueuedRuns - this.#live.size;
  }

  /** Those that wait for a slot. */
  get queued(): number {
    return this.#turns.pendingCount;
  }

  /** Of the room, what would not have to wait. */
  get free(): number {
    return Math.max(0, this.#parts.limits.maxRuns - this.#live.size);
  }

  of(key: RunKey): LiveRun | undefined {
    return this.#live.get(mapKey(key));
  }

  all(stored: boolean): LiveRun[] {
    return [...this.#live.values()].filter(({ run }) => run.stored === stored);
  }

  assertRoom(claiming: number): void {
    if (claiming < this.room) return;
    const { maxRuns, maxQueuedRuns } = this.#parts.limits;
    throw new GatewayError(
      'RATE_LIMITED',
      `${maxRuns} runs are under way and ${maxQueuedRuns} wait (limits.maxRuns, limits.maxQueuedRuns); try again later.`,
      { retryable: true, details: { retryAfterMs: 1_000, limit: maxRuns + maxQueuedRuns } },
    );
  }

  begin(run: RunRecord, execution: Execution): LiveRun {
    const { input, whenUnwatched, timeoutMs, watchers, traceparent, slot } = execution;
    const live = new LiveRun(run, {
      policy: whenUnwatched,
      graceMs: this.#parts.limits.unwatchedGraceMs,
      timeoutMs,
      watchers,
      traceparent,
      isFollowedElsewhere: () => this.#parts.signals.isFollowedElsewhere(run),
    });
    this.#live.set(mapKey(run), live);
    this.#execute(live, input, slot);
    if (this.#afterDrain !== null) this.#stop(live, this.#afterDrain);
    return live;
  }

  /** From now on whatever is under way stops: handed over to other instances, if it is stored, or ended as retryable. */
  stop(how: 'hand-over' | 'end'): void {
    this.#afterDrain = how;
    for (const live of this.#live.values()) this.#stop(live, how);
  }

  /** Resolves when all that are under way now have left. */
  async settled(): Promise<void> {
    await Promise.all([...this.#live.values()].map((live) => live.finished));
  }

  #stop(live: LiveRun, how: 'hand-over' | 'end'): void {
    if (how === 'hand-over' && live.run.stored) live.depart('handed-over');
    else live.abort(shuttingDown());
  }

  #execute(live: LiveRun, input: unknown, slot: Execution['slot']): void {
    const {
      log,
      clock,
      logger,
      executors,
      eventLoopLagMs,
      stored,
      unstored,
      observer,
      recordContent,
      checkpoints,
      parked,
    } = this.#parts;
    const { run } = live;
    const store: RunStore = run.stored ? stored : unstored;
    const parts = {
      ...{ log, clock, logger, store, checkpoints, parked, observer, recordContent },
      // Many streams at once are a load too: each then writes less often.
      eventLoopLagMs: () => (eventLoopLagMs?.() ?? 0) + this.#live.size * lagPerRunMs,
      executor: executors[run.kind] ?? cannotExecute,
      release: () => stored.release(run),
      park: async (patch: ParkPatch) => {
        const outcome = await parked.park(run, patch);
        if (outcome === 'claimable') this.#onClaimable();
        return outcome;
      },
      freeSlot: slot === null ? null : async () => (await slot)?.free(),
    };
    let ending: Promise<void> | undefined;
    const begin = (): Promise<void> => {
      ending ??= live.trace.run(() => executeRun(live, input, parts)).finally(() => this.#forget(live));
      return ending;
    };
    // A run that is cancelled while it queues ends at once: it needs no slot for that.
    live.signal.addEventListener('abort', () => void begin(), { once: true });
    void this.#turns.take(begin);
  }

  #forget(live: LiveRun): void {
    const id = mapKey(live.run);
    // It may have come back meanwhile, as a later attempt.
    if (this.#live.get(id) === live) this.#live.delete(id);
    live.end();
    this.#onLeft(live.run);
  }
}

const cannotExecute: Executor = ({ run }) =>
  Promise.reject(new Error(`nothing here executes a run of kind ${run.kind}`));
