import { randomUUID } from 'node:crypto';
import type { Clock } from '../contracts/clock.ts';
import type { Account, AccountState, HoldAnswer, HoldStore, Resource } from '../contracts/hold-store.ts';
import type { Logger } from '../contracts/logger.ts';
import { untilAborted } from '../models/calls/abortable.ts';
import { Settlements } from './settlements.ts';

export interface HoldParts {
  readonly store: HoldStore;
  /** Whose holds they are; it must have entered among the instances of the store. */
  readonly instance: string;
  /** The longest that a call may take, its waits included: what a dead instance held for its calls is held for so long. */
  readonly callMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Wanted {
  readonly tenant: string;
  readonly resource: Resource;
  readonly accounts: readonly Account[];
  readonly amount: number;
}

/** An amount that is set aside. */
export interface Hold {
  readonly granted: true;
  /** Once; later calls change nothing. */
  settle(used: number): void;
}

export interface Refused {
  readonly granted: false;
  readonly accounts: readonly AccountState[];
  readonly renewsAt: Date | null;
}

interface Waiter {
  readonly id: string;
  readonly amount: number;
  resolve(outcome: { readonly granted: boolean; readonly answer: HoldAnswer }): void;
  reject(error: unknown): void;
}

interface Line {
  readonly request: Omit<Wanted, 'amount'>;
  readonly waiters: Waiter[];
}

const mostAtOnce = 200;
/** What the dead have left is looked for when something is refused, and otherwise now and then. */
const reclaimEveryMs = 1_000;
const tidyEveryMs = 60_000;

/**
 * Sets amounts aside in the store. Those against the same accounts go one statement at a time, and what is asked for meanwhile goes
 * together with the next: they would only wait for one another's row, each with a connection.
 */
export class Holds {
  readonly #parts: HoldParts;
  readonly #settlements: Settlements;
  readonly #lines = new Map<string, Line>();
  readonly #timer: NodeJS.Timeout;
  #reclaiming: Promise<boolean> | null = null;
  #reclaimedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: HoldParts) {
    this.#parts = parts;
    this.#settlements = new Settlements(parts);
    this.#timer = setInterval(() => void this.#tidy(), tidyEveryMs).unref();
  }

  /** Refused only after what dead instances held was given back. */
  async take(wanted: Wanted, signal: AbortSignal): Promise<Hold | Refused> {
    const first = await this.#ask(wanted, signal);
    if (first.granted || !(await untilAborted(this.#reclaim(), signal))) return first;
    return await this.#ask(wanted, signal);
  }

  /** Everything that was settled is written. */
  flush(): Promise<void> {
    return this.#settlements.flush();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#settlements.close();
  }

  async #ask({ amount, ...request }: Wanted, signal: AbortSignal): Promise<Hold | Refused> {
    signal.throwIfAborted();
    const id = randomUUID();
    const { promise, resolve, reject } = Promise.withResolvers<{ granted: boolean; answer: HoldAnswer }>();
    const key = JSON.stringify(request);
    const line = this.#lines.get(key);
    const waiter = { id, amount, resolve, reject };
    if (line === undefined) {
      const fresh = { request, waiters: [waiter] };
      this.#lines.set(key, fresh);
      void this.#serve(key, fresh);
    } else {
      line.waiters.push(waiter);
    }
    let isSettled = false;
    const settle = (used: number): void => {
      if (!isSettled) this.#settlements.add({ tenant: request.tenant, id, used });
      isSettled = true;
    };
    try {
      const { granted, answer } = await untilAborted(promise, signal);
      return granted ? { granted, settle } : { granted, accounts: answer.accounts, renewsAt: answer.renewsAt };
    } catch (error) {
      // Not wanted any more, or nobody knows whether the statement was carried out. After it, in any case.
      promise.then(
        () => settle(0),
        () => settle(0),
      );
      throw error;
    }
  }

  async #serve(key: string, { request, waiters }: Line): Promise<void> {
    while (waiters.length > 0) {
      const batch = waiters.splice(0, mostAtOnce);
      try {
        const holds = batch.map(({ id, amount }) => ({ id, amount }));
        const answer = await this.#parts.store.hold({ ...request, instance: this.#parts.instance, holds });
        batch.forEach(({ resolve }, place) => void resolve({ granted: answer.granted[place] ?? false, answer }));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#lines.delete(key);
  }

  /** Whether something came back. Asked at the same time, all share one answer. */
  #reclaim(): Promise<boolean> {
    const now = this.#parts.clock.now();
    if (this.#reclaiming !== null) return this.#reclaiming;
    if (now - this.#reclaimedAt < reclaimEveryMs) return Promise.resolve(false);
    this.#reclaimedAt = now;
    this.#reclaiming = this.#parts.store
      .reclaim(this.#parts.callMs)
      .then((count) => {
        if (count > 0) this.#parts.logger.info({ count }, 'holds of dead instances were given back');
        return count > 0;
      })
      .finally(() => {
        this.#reclaiming = null;
      });
    return this.#reclaiming;
  }

  async #tidy(): Promise<void> {
    try {
      await this.#reclaim();
      await this.#parts.store.forget();
    } catch (error) {
      this.#parts.logger.warn({ error }, 'old holds could not be tidied away; it is tried again');
    }
  }
}
