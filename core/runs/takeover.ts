import type { Clock } from '../contracts/clock.ts';
import type { EventLog } from '../contracts/event-log.ts';
import type { Logger } from '../contracts/logger.ts';
import type { ParkedRuns } from '../contracts/parked-runs.ts';
import type { StoredRunStore, TakenRun } from '../contracts/run-store.ts';
import { lostTooOften } from './run-error.ts';
import { endLog } from './terminal.ts';

/** Of a statement: between two of them the others get their turn at what a dead instance left. */
const mostAtOnce = 32;
const looksPerLease = 20;
/** Runs that wait for too long are looked for less often: nobody minds a few seconds of a day. */
const expiryEveryMs = 5_000;

export interface TakeoverParts {
  readonly instance: string;
  readonly store: StoredRunStore;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly leaseMs: number;
  /** A run is lost with its instance at most so often; then it has failed. */
  readonly maxLosses: number;
  readonly parked: Pick<ParkedRuns, 'expire'>;
  /** How long a run may wait for an answer. */
  readonly parkedTimeoutMs: number;
  /** How many more runs this instance could execute now, and how many more could wait here. */
  readonly room: () => { readonly free: number; readonly queue: number };
  readonly begin: (taken: TakenRun) => void;
}

/** Looks for runs whose instance has gone, and goes on with them. */
export class Takeover {
  readonly #parts: TakeoverParts;
  #wake: () => void = () => {};
  #instances = 1;
  #expiredAt = Number.NEGATIVE_INFINITY;

  constructor(parts: TakeoverParts) {
    this.#parts = parts;
  }

  /** So many instances look, this one among them: the more there are, the more seldom each does. */
  shareWith(instances: number): void {
    this.#instances = Math.max(1, instances);
  }

  /** Looks at once, instead of at the next time. */
  hurry(): void {
    this.#wake();
  }

  /**
   * Until aborted. Some instance looks every twentieth of a lease on average, however many there are, and each of them every
   * half lease at least; at random moments, so that they do not look together.
   */
  async keepLooking(signal: AbortSignal): Promise<void> {
    const { clock, logger, leaseMs } = this.#parts;
    let isFailing = false;
    while (!signal.aborted) {
      try {
        await this.#expire();
        await this.look('expired');
        isFailing = false;
      } catch (error) {
        if (!isFailing) logger.warn({ error }, 'runs that others left could not be looked for');
        isFailing = true;
      }
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const waiting = new AbortController();
      const meanMs = Math.min(leaseMs / 2, Math.max(100, leaseMs / looksPerLease) * this.#instances);
      const pauseMs = meanMs * (0.5 + Math.random());
      await Promise.race([clock.sleep(pauseMs, AbortSignal.any([signal, waiting.signal])).catch(() => {}), woken]);
      waiting.abort();
    }
  }

  /**
   * Takes what there is: all of it where no other instance can, else what can be executed now, so that the others get their
   * share instead of it waiting here. Where everything is busy one at a time joins the queue: under a load that never ends it
   * would be waited for without end.
   */
  async look(abandoned: 'expired' | 'all'): Promise<number> {
    const { instance, store, logger, maxLosses, begin } = this.#parts;
    let count = 0;
    for (;;) {
      const limit = Math.min(mostAtOnce, this.#mayTake(abandoned, count));
      if (limit <= 0) return count;
      const { taken, failed } = await store.takeOver(instance, {
        abandoned,
        limit,
        maxLosses,
        error: lostTooOften(maxLosses),
      });
      for (const run of taken) begin(run);
      for (const run of failed) {
        logger.error({ runId: run.runId, tenant: run.tenant, maxLosses }, 'a run was lost too often, and has failed');
        // Where this fails, the followers' own look at the run's status does it.
        await endLog(this.#parts.log, run).catch(() => {});
      }
      count += taken.length;
      if (taken.length > 0) logger.info({ instance, taken: taken.length }, 'runs that their instance left go on here');
      if (taken.length + failed.length < limit) return count;
    }
  }

  /** Wakes those that nobody has answered in time; the next look takes them over, to end them. */
  async #expire(): Promise<void> {
    const { clock, parked, parkedTimeoutMs } = this.#parts;
    if (clock.now() - this.#expiredAt < Math.min(expiryEveryMs, parkedTimeoutMs / 4)) return;
    this.#expiredAt = clock.now();
    await parked.expire({ parkedForMs: parkedTimeoutMs, limit: mostAtOnce });
  }

  #mayTake(abandoned: 'expired' | 'all', count: number): number {
    const { free, queue } = this.#parts.room();
    if (abandoned === 'all') return free + queue;
    if (free > 0) return free;
    return count === 0 && queue > 0 ? 1 : 0;
  }
}
