import type { Clock } from '../contracts/clock.ts';
import type { HoldStore, Settlement } from '../contracts/hold-store.ts';
import type { Logger } from '../contracts/logger.ts';

interface Parts {
  readonly store: Pick<HoldStore, 'settle'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const mostAtOnce = 1_000;
const againMs = 1_000;

/**
 * Writes what holds have come to, at once and without anybody waiting for it: what comes in while one write is under way goes with the
 * next. A write that fails is repeated until it succeeds; settling twice counts once.
 */
export class Settlements {
  readonly #parts: Parts;
  readonly #closed = new AbortController();
  #waiting: Settlement[] = [];
  #writing: Promise<void> | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  add(settlement: Settlement): void {
    this.#waiting.push(settlement);
    this.#writing ??= this.#write();
  }

  /** Everything added before is written, or the store is away and it was closed. */
  async flush(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.flush();
  }

  async #write(): Promise<void> {
    // What is settled in the same turn of the event loop goes together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, mostAtOnce);
      try {
        await this.#parts.store.settle(batch);
      } catch (error) {
        this.#waiting.unshift(...batch);
        if (!(await this.#mayTryAgain(error))) break;
      }
    }
    this.#writing = null;
  }

  /** At the end there is one try: whatever is left is given back when this instance's lease has expired. */
  async #mayTryAgain(error: unknown): Promise<boolean> {
    const { clock, logger } = this.#parts;
    const count = this.#waiting.length;
    logger.error({ error, count }, 'what calls have cost could not be written to their budgets; it is tried again');
    if (this.#closed.signal.aborted) return false;
    await clock.sleep(againMs, this.#closed.signal).catch(() => {});
    return true;
  }
}
