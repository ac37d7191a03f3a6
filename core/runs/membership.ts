import type { RunKey } from '../contracts/event-log.ts';
import type { TakenRun } from '../contracts/run-store.ts';
import type { Executions } from './executions.ts';
import { InstanceLease } from './instance-lease.ts';
import type { MembershipOptions, RunParts } from './run-parts.ts';
import { Takeover } from './takeover.ts';

/** This instance among those of its database: it says that it lives, hears what is wanted of its runs, takes over from the dead. */
export class Membership {
  readonly #parts: RunParts;
  readonly #options: MembershipOptions;
  readonly #takeover: Takeover;
  readonly #leases: readonly InstanceLease[];
  readonly #lease: { readonly instance: string; readonly leaseMs: number };
  readonly #leaving = new AbortController();
  readonly #draining = new AbortController();
  #loops: Promise<unknown> = Promise.resolve();

  constructor(
    parts: RunParts,
    options: MembershipOptions,
    executions: Executions,
    on: { readonly taken: (run: TakenRun) => void; readonly cancel: (key: RunKey, reason: string) => void },
  ) {
    const { instance, leaseMs, clock, logger, log, stored, unstored } = parts;
    this.#parts = parts;
    this.#options = options;
    this.#lease = { instance, leaseMs };
    const shared = { lease: this.#lease, clock, logger, onCancel: on.cancel };
    this.#leases = [
      new InstanceLease(stored, {
        ...shared,
        live: () => executions.all(true),
        onCount: (instances) => this.#takeover.shareWith(instances),
        onLapse: () => this.#enterAgain(),
      }),
      new InstanceLease(unstored, { ...shared, live: () => executions.all(false) }),
    ];
    this.#takeover = new Takeover({
      ...{ instance, log, clock, logger, leaseMs, store: stored, begin: on.taken },
      maxLosses: parts.maxAttempts,
      ...{ parked: parts.parked, parkedTimeoutMs: parts.parkedTimeoutMs },
      room: () => ({ free: executions.free, queue: executions.room - executions.free }),
    });
  }

  /** Null once this instance is in; else which one must go first. Then call it again. */
  async enter(): Promise<{ readonly instance: string; readonly alone: boolean } | null> {
    const { stored, signals } = this.#parts;
    const inTheWay = await stored.enter(this.#lease, this.#options);
    if (inTheWay !== null) return inTheWay;
    if (this.#options.alone) await this.#takeover.look('all');
    const listening = signals.listen((signal) => {
      if (signal.type === 'released') this.#takeover.hurry();
    });
    this.#loops = Promise.all([
      ...this.#leases.map((lease) => lease.keep(this.#leaving.signal)),
      this.#takeover.keepLooking(this.#draining.signal),
    ]).finally(() => listening[Symbol.dispose]());
    return null;
  }

  /** Looks at once for what may be taken over. */
  hurry(): void {
    this.#takeover.hurry();
  }

  /** Takes nothing over any more; what it executes it keeps. */
  retire(): void {
    this.#draining.abort();
    this.#takeover.hurry();
  }

  /** Once nothing is executed here: others need not wait for the lease to expire. */
  async leave(): Promise<void> {
    this.retire();
    this.#leaving.abort();
    await this.#loops;
    await this.#parts.stored.leave(this.#parts.instance);
    this.#parts.signals.send({ type: 'released' });
  }

  async #enterAgain(): Promise<void> {
    const { stored, logger, instance } = this.#parts;
    const inTheWay = await stored.enter(this.#lease, { ...this.#options, others: 'unknown' });
    if (inTheWay === null) logger.warn({ instance }, 'the lease of this instance had expired');
    else logger.error({ instance, other: inTheWay.instance }, 'another instance took the place of this one');
  }
}
