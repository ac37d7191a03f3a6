import type { Clock } from '../contracts/clock.ts';
import type { EventLog } from '../contracts/event-log.ts';
import type { Logger } from '../contracts/logger.ts';
import type { StoredRunStore, TakenRun } from '../contracts/run-store.ts';
import { lostTooOften } from './run-error.ts';
import { endLog } from './terminal.ts';

/** Of a statement, and of a look: an instance that died with thousands of runs leaves something to the others. */
const mostAtOnce = 32;

export interface TakeoverParts {
  readonly instance: string;
  readonly store: StoredRunStore;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly leaseMs: number;
  /** A run is lost with its instance at most so often; then it has failed. */
  readonly maxLosses: number;
  /** How many more runs this instance could execute now. */
  readonly room: () => number;
  readonly begin: (taken: TakenRun) => void;
}

/** Looks for runs whose instance has gone, and goes on with them. */
export class Takeover {
  readonly #parts: TakeoverParts;
  #wake: () => void = () => {};

  constructor(parts: TakeoverParts) {
    this.#parts = parts;
  }

  /** Looks at once, instead of at the next time. */
  hurry(): void {
    this.#wake();
  }

  /** Every half lease on average, each time at another moment so that instances do not look together; until aborted. */
  async keepLooking(signal: AbortSignal): Promise<void> {
    const { clock, logger, leaseMs } = this.#parts;
    let isFailing = false;
    while (!signal.aborted) {
      try {
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
      const pauseMs = leaseMs * (0.25 + Math.random() / 2);
      await Promise.race([clock.sleep(pauseMs, AbortSignal.any([signal, waiting.signal])).catch(() => {}), woken]);
      waiting.abort();
    }
  }

  /** Takes what there is, as far as there is room. */
  async look(abandoned: 'expired' | 'all'): Promise<number> {
    const { instance, store, logger, maxLosses, room, begin } = this.#parts;
    let count = 0;
    for (;;) {
      const limit = Math.min(mostAtOnce, room());
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
}
