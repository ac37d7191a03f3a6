import type { Clock } from '../../contracts/clock.ts';
import type { Logger } from '../../contracts/logger.ts';
import type { UsageEntry, UsageStore } from '../../contracts/usage-store.ts';
import { UsageMeter } from './usage-meter.ts';

interface Parts {
  readonly store: UsageStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly flushMs?: number;
}

const minuteMs = 60_000;

/** Sums what is spent, by tenant, model and minute, and writes the sums in batches: no call waits for the database. */
export class UsageLedger {
  readonly #parts: Parts;
  readonly #timer: NodeJS.Timeout;
  #sums = new Map<string, { readonly entry: Omit<UsageEntry, 'usage'>; readonly meter: UsageMeter }>();
  #flushing: Promise<void> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.flush(), parts.flushMs ?? 1_000).unref();
  }

  add({ tenant, model, usage }: Omit<UsageEntry, 'at'>): void {
    this.#sum({ tenant, model, usage, at: Math.floor(this.#parts.clock.now() / minuteMs) * minuteMs });
  }

  /** Everything added before is in the store. A failed write is logged and tried again with the next one. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#write());
    return this.#flushing;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  async #write(): Promise<void> {
    const sums = this.#sums;
    if (sums.size === 0) return;
    this.#sums = new Map();
    const entries = [...sums.values()].map(({ entry, meter }) => ({ ...entry, usage: meter.usage }));
    try {
      await this.#parts.store.add(entries);
    } catch (error) {
      this.#parts.logger.error({ error }, 'usage could not be written; it is tried again');
      for (const entry of entries) this.#sum(entry);
    }
  }

  #sum({ usage, ...entry }: UsageEntry): void {
    // The length keeps two tenants and models apart whose names make one text.
    const key = `${entry.at} ${entry.tenant.length} ${entry.tenant} ${entry.model}`;
    const sum = this.#sums.get(key) ?? { entry, meter: new UsageMeter() };
    sum.meter.addUsage(usage);
    this.#sums.set(key, sum);
  }
}
