import type { EmbeddingKey } from '../../contracts/embedding-store.ts';
import type { CacheKind, PoolObserver } from '../../contracts/pool-observer.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import type { EmbeddedText } from '../models.ts';
import type { EmbeddingCache } from './embedding-cache.ts';
import { partsOfKey } from './embedding-job.ts';
import type { StoredEmbeddings } from './stored-embeddings.ts';

interface Parts {
  readonly entry: CatalogueEntry;
  readonly memory: EmbeddingCache;
  /** Null: vectors of this model are kept in memory only. */
  readonly stored: StoredEmbeddings | null;
  readonly observer: PoolObserver | undefined;
}

/** What is known of one model's vectors without asking it: in memory, and in the database. Keys are those of `embeddingKey`. */
export class ModelVectors {
  readonly #parts: Parts;
  readonly #model: string;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#model = `${parts.entry.provider.name}/${parts.entry.name}`;
  }

  /** In memory, at once. */
  recall(key: string): EmbeddedText | undefined {
    const known = this.#parts.memory.get(this.#model, key);
    this.#looked('embedding-memory', known !== undefined);
    return known;
  }

  /** In the database, soon; null at once where none is asked. */
  find(key: string): Promise<EmbeddedText | null> | null {
    return this.#parts.stored === null ? null : this.#find(key, this.#parts.stored);
  }

  remember(key: string, embedded: EmbeddedText): void {
    this.#parts.memory.set(this.#model, key, embedded);
    this.#parts.stored?.save(this.#storedKey(key), embedded);
  }

  async #find(key: string, stored: StoredEmbeddings): Promise<EmbeddedText | null> {
    const found = await stored.find(this.#storedKey(key));
    this.#looked('embedding-database', found !== null);
    // Somebody else's look may have been answered sooner, and the call that it led to as well.
    if (found === null) return this.#parts.memory.get(this.#model, key) ?? null;
    this.#parts.memory.set(this.#model, key, found);
    return found;
  }

  #storedKey(key: string): EmbeddingKey {
    return { model: this.#model, dimensions: this.#parts.entry.dimensions ?? 0, ...partsOfKey(key) };
  }

  #looked(kind: CacheKind, isHit: boolean): void {
    this.#parts.observer?.cache(kind, this.#parts.entry.name, isHit);
  }
}
