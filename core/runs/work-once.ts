import type { CheckpointStore } from '../contracts/checkpoint-store.ts';
import type { Clock } from '../contracts/clock.ts';
import { FencedError } from '../contracts/event-log.ts';
import type { Json } from '../contracts/filter.ts';
import type { RunRecord } from '../contracts/run-store.ts';
import { persist } from './persist.ts';

export interface WorkOnceParts {
  readonly run: RunRecord;
  /** Null: the run is not stored, so there is no other attempt, and memory is enough. */
  readonly checkpoints: CheckpointStore | null;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Resolves when all that was said until now is in the log. */
  readonly flush: () => Promise<unknown>;
}

/**
 * Does work once in all attempts of a run. What it said of itself is in the log before it counts as done: an attempt that
 * finds it done need not say it again.
 */
export class WorkOnce {
  readonly #parts: WorkOnceParts;
  readonly #doing = new Map<string, Promise<Json>>();
  #earlier: Promise<ReadonlyMap<string, Json>> | null = null;

  constructor(parts: WorkOnceParts) {
    this.#parts = parts;
  }

  do<T extends Json>(key: string, work: () => Promise<T>): Promise<T> {
    const known = this.#doing.get(key) as Promise<T> | undefined; // what is under a key is what its work returned
    if (known !== undefined) return known;
    const doing = this.#find(key, work);
    this.#doing.set(key, doing);
    doing.catch(() => this.#doing.delete(key));
    return doing;
  }

  async #find<T extends Json>(key: string, work: () => Promise<T>): Promise<T> {
    const { run, checkpoints, clock, signal, flush } = this.#parts;
    if (checkpoints === null) return await work();
    const earlier = await this.#ofEarlierAttempts(checkpoints);
    if (earlier.has(key)) return earlier.get(key) as T; // as above, in an earlier attempt
    signal.throwIfAborted();
    const value = await work();
    await flush();
    if (!(await persist(() => checkpoints.save(run, key, value), clock))) throw new FencedError(run, run.attempt);
    return value;
  }

  /** Read once, and only for work that asks: most runs have a single attempt. */
  #ofEarlierAttempts(checkpoints: CheckpointStore): Promise<ReadonlyMap<string, Json>> {
    const { run, clock, signal } = this.#parts;
    if (run.attempt === 1) return Promise.resolve(new Map());
    this.#earlier ??= persist(() => checkpoints.read(run), clock, signal);
    return this.#earlier;
  }
}
