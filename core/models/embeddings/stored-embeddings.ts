import type { EmbeddingKey, EmbeddingStore, StoredEmbedding } from '../../contracts/embedding-store.ts';
import { Patience } from '../../patience.ts';

export interface StoredEmbeddingsOptions {
  readonly store: EmbeddingStore;
  /** Vectors that are kept, over all tenants and models. */
  readonly keep: number;
  readonly unusedForMs: number;
  /** A look that takes longer has found nothing, and none is taken in the next second: the provider is there. */
  readonly patienceMs?: number;
  readonly flushMs?: number;
}

interface Look {
  readonly key: EmbeddingKey;
  resolve(found: StoredEmbedding | null): void;
}

const looksAtOnce = 1_000;
const savedAtOnce = 250;
/** Vectors that wait to be written; what comes while so many do is not kept. */
const mostWaiting = 5_000;
const purgeEveryMs = 600_000;

/**
 * The second level of the cache of vectors, in the database. What is looked for in one turn of the event loop is one statement; what is
 * new, and what was used, is written later, in batches. No failure reaches a caller.
 */
export class StoredEmbeddings {
  readonly #options: StoredEmbeddingsOptions;
  readonly #patience: Patience;
  readonly #flushTimer: NodeJS.Timeout;
  readonly #purgeTimer: NodeJS.Timeout;
  #looks: Look[] = [];
  #unsaved: (EmbeddingKey & StoredEmbedding)[] = [];
  #used: EmbeddingKey[] = [];
  #flushing: Promise<void> = Promise.resolve();

  constructor(options: StoredEmbeddingsOptions) {
    this.#options = options;
    this.#patience = new Patience(options.patienceMs ?? 50);
    this.#flushTimer = setInterval(() => void this.flush(), options.flushMs ?? 1_000).unref();
    // Each instance at another moment.
    this.#purgeTimer = setInterval(() => void this.#purge(), purgeEveryMs * (0.75 + Math.random() / 2)).unref();
  }

  /** Null too when there is no answer in time. */
  find(key: EmbeddingKey): Promise<StoredEmbedding | null> {
    if (this.#patience.isResting) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#looks.push({ key, resolve });
      if (this.#looks.length === 1) setImmediate(() => this.#look());
    });
  }

  save(key: EmbeddingKey, embedding: StoredEmbedding): void {
    if (this.#unsaved.length < mostWaiting) this.#unsaved.push({ ...key, ...embedding });
  }

  /** Everything said before is in the store, or lost. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#write());
    return this.#flushing;
  }

  async close(): Promise<void> {
    clearInterval(this.#flushTimer);
    clearInterval(this.#purgeTimer);
    await this.flush();
  }

  #look(): void {
    const looks = this.#looks;
    this.#looks = [];
    for (let from = 0; from < looks.length; from += looksAtOnce) void this.#ask(looks.slice(from, from + looksAtOnce));
  }

  async #ask(looks: readonly Look[]): Promise<void> {
    const keys = looks.map(({ key }) => key);
    const found = await this.#patience.within((signal) => this.#options.store.find(keys, signal));
    for (const [place, { key, resolve }] of looks.entries()) {
      const embedding = found?.[place] ?? null;
      if (embedding !== null && this.#used.length < mostWaiting) this.#used.push(key);
      resolve(embedding);
    }
  }

  async #write(): Promise<void> {
    const { store } = this.#options;
    const [unsaved, used] = [this.#unsaved, this.#used];
    [this.#unsaved, this.#used] = [[], []];
    try {
      for (let from = 0; from < unsaved.length; from += savedAtOnce) {
        await store.save(unsaved.slice(from, from + savedAtOnce));
      }
      if (used.length > 0) await store.touch(used);
    } catch {
      // The health of the database says so; what was lost is only asked for again.
    }
  }

  async #purge(): Promise<void> {
    const { store, keep, unusedForMs } = this.#options;
    await store.purge({ keep, unusedForMs }).catch(() => 0);
  }
}
