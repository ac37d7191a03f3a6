import { LRUCache } from 'lru-cache';
import type { EmbeddedText } from '../models.ts';

/** The key string, the entry, and the list links around a vector, roughly. */
const overheadBytes = 400;

/** Vectors of one process, the least recently used dropped first. Its size is bounded in bytes. */
export class EmbeddingCache {
  readonly #vectors: LRUCache<string, EmbeddedText> | null;

  /** `maxBytes` 0 keeps nothing. */
  constructor(maxBytes: number) {
    this.#vectors =
      maxBytes === 0
        ? null
        : new LRUCache({ maxSize: maxBytes, sizeCalculation: ({ vector }) => vector.byteLength + overheadBytes });
  }

  get(model: string, key: string): EmbeddedText | undefined {
    return this.#vectors?.get(`${model}\n${key}`);
  }

  set(model: string, key: string, { vector, tokens }: EmbeddedText): void {
    // A view would keep the whole reply of its call alive, which the size calculation does not see.
    const owned = vector.byteLength === vector.buffer.byteLength ? vector : vector.slice();
    this.#vectors?.set(`${model}\n${key}`, { vector: owned, tokens });
  }

  clear(): void {
    this.#vectors?.clear();
  }
}
