import { LRUCache } from 'lru-cache';
import type { ResponseCache } from '../../core/contracts/response-cache.ts';

/** The key, the entry and its links, roughly. */
const overheadBytes = 400;

/** Replies in the memory of this process; the one that was not asked for the longest makes room. `maxBytes` 0 keeps nothing. */
export function memoryResponseCache({ maxBytes }: { readonly maxBytes: number }): ResponseCache {
  if (maxBytes === 0) return { get: async () => null, set: async () => {} };
  const replies = new LRUCache<string, string>({
    maxSize: maxBytes,
    // A character may take two bytes.
    sizeCalculation: (reply) => 2 * reply.length + overheadBytes,
  });
  return {
    get: async (key) => replies.get(key) ?? null,
    set: async (key, reply, ttlMs) => void replies.set(key, reply, { ttl: ttlMs }),
  };
}
