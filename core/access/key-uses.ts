import type { ApiKeyRecord, ApiKeyStore, KeyUse } from '../contracts/api-key-store.ts';
import type { Clock } from '../contracts/clock.ts';
import type { Logger } from '../contracts/logger.ts';

/** Remembers when keys were last used, and writes it once a minute: no request waits for it. */
export class KeyUses {
  readonly #parts: { readonly store: Pick<ApiKeyStore, 'used'>; readonly clock: Clock; readonly logger: Logger };
  readonly #timer: NodeJS.Timeout;
  #uses = new Map<string, KeyUse>();
  #writing: Promise<void> = Promise.resolve();

  constructor(
    parts: { readonly store: Pick<ApiKeyStore, 'used'>; readonly clock: Clock; readonly logger: Logger },
    writeEveryMs: number,
  ) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.write(), writeEveryMs).unref();
  }

  add({ tenant, id }: Pick<ApiKeyRecord, 'tenant' | 'id'>): void {
    this.#uses.set(id, { tenant, id, at: new Date(this.#parts.clock.now()) });
  }

  /** What could not be written is tried again with the next use, or not at all: it is no more than a hint for people. */
  write(): Promise<void> {
    const uses = [...this.#uses.values()];
    if (uses.length === 0) return this.#writing;
    this.#uses = new Map();
    this.#writing = this.#writing
      .then(() => this.#parts.store.used(uses))
      .catch((error: unknown) =>
        this.#parts.logger.warn({ error }, 'when API keys were last used could not be written'),
      );
    return this.#writing;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.write();
  }
}
