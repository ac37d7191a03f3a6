import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import type { ApiKeyStore, StoredApiKey } from '../contracts/api-key-store.ts';
import type { Clock } from '../contracts/clock.ts';

export interface KeyLookupOptions {
  readonly store: Pick<ApiKeyStore, 'byPrefixes'>;
  readonly clock: Clock;
  /** How long an answer holds: a revoked key opens something for no longer than this. */
  readonly freshMs?: number;
  readonly maxCached?: number;
}

interface Answer {
  readonly key: StoredApiKey | null;
  readonly askedAt: number;
}

const maxBatchSize = 1_000;

/**
 * Finds keys by the prefixes of their secrets, those that do not exist too, and remembers the answers for a moment. One statement
 * at a time: whoever asks meanwhile shares the next one, so that a flood of wrong keys costs the database no more than a trickle.
 */
export class KeyLookups {
  readonly #options: Required<KeyLookupOptions>;
  readonly #answers: LRUCache<string, Answer>;
  readonly #loader: DataLoader<string, StoredApiKey | null>;
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(options: KeyLookupOptions) {
    this.#options = { freshMs: 2_000, maxCached: 10_000, ...options };
    this.#answers = new LRUCache({ max: this.#options.maxCached });
    this.#loader = new DataLoader((prefixes) => this.#ask(prefixes), {
      name: 'keyLookups',
      maxBatchSize,
      cache: false,
      batchScheduleFn: (dispatch) => void this.#underWay.then(dispatch),
    });
  }

  async find(prefix: string): Promise<StoredApiKey | null> {
    const known = this.#answers.get(prefix);
    const { clock, freshMs } = this.#options;
    if (known !== undefined && clock.now() - known.askedAt < freshMs) return known.key;
    return this.#loader.load(prefix);
  }

  /** As they are now, in the order of their prefixes. */
  async refresh(prefixes: readonly string[]): Promise<readonly (StoredApiKey | null)[]> {
    return Promise.all(prefixes.map((prefix) => this.#loader.load(prefix)));
  }

  /** The next look asks the store. */
  forget(prefix: string): void {
    this.#answers.delete(prefix);
  }

  async #ask(prefixes: readonly string[]): Promise<(StoredApiKey | null)[]> {
    const askedAt = this.#options.clock.now();
    const asking = this.#options.store.byPrefixes([...new Set(prefixes)]);
    this.#underWay = asking.catch(() => {});
    const found = new Map((await asking).map((key) => [key.prefix, key]));
    return prefixes.map((prefix) => {
      const key = found.get(prefix) ?? null;
      this.#answers.set(prefix, { key, askedAt });
      return key;
    });
  }
}
