import type { Clock } from '../contracts/clock.ts';
import type { RunKey } from '../contracts/event-log.ts';
import type { Logger } from '../contracts/logger.ts';
import type { Lease, RunStore } from '../contracts/run-store.ts';
import type { LiveRun } from './live-run.ts';

/** So that one heartbeat may fail or be late without anybody taking runs over. */
const beatsPerLease = 3;

export interface InstanceLeaseParts {
  readonly lease: Lease;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The runs that this instance executes out of the store. */
  readonly live: () => readonly LiveRun[];
  readonly onCancel: (key: RunKey, reason: string) => void;
  /** How many instances live, this one among them. */
  readonly onCount?: (instances: number) => void;
  /** The lease had expired; before it is looked at which runs were taken. */
  readonly onLapse?: () => Promise<void>;
}

/**
 * Keeps this instance alive in the eyes of the others, and hears with every heartbeat what is wanted of its runs. After a
 * lapse (a process that was stopped, a database that was away) it lets go of the runs that others have taken.
 */
export class InstanceLease {
  readonly #store: RunStore;
  readonly #parts: InstanceLeaseParts;
  #isFailing = false;

  constructor(store: RunStore, parts: InstanceLeaseParts) {
    this.#store = store;
    this.#parts = parts;
  }

  /** Until the signal is aborted. */
  async keep(signal: AbortSignal): Promise<void> {
    const { lease, clock, logger } = this.#parts;
    while (!signal.aborted) {
      try {
        await this.#beat();
        if (this.#isFailing) logger.info({ instance: lease.instance }, 'the lease of this instance is renewed again');
        this.#isFailing = false;
      } catch (error) {
        if (!this.#isFailing)
          logger.warn({ instance: lease.instance, error }, 'the lease of this instance was not renewed');
        this.#isFailing = true;
      }
      await clock.sleep(lease.leaseMs / beatsPerLease, signal).catch(() => {});
    }
  }

  async #beat(): Promise<void> {
    const { lease, live, onCancel, onCount, onLapse } = this.#parts;
    const { lapsed, cancels, instances } = await this.#store.heartbeat(lease);
    if (instances !== undefined) onCount?.(instances);
    for (const { key, reason } of cancels) onCancel(key, reason);
    if (!lapsed) return;
    await onLapse?.();
    const mine = live();
    const owned = new Set((await this.#store.stillOwned(mine.map(({ run }) => run))).map(nameOf));
    for (const run of mine) if (!owned.has(nameOf(run.run))) run.depart('lost');
  }
}

const nameOf = ({ tenant, runId, attempt }: RunKey & { readonly attempt: number }): string =>
  `${tenant}\n${runId}\n${attempt}`;
