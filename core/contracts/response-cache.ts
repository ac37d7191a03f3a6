/**
 * Replies that may be given again. Keys are hashes, made so that what may not be shared has another key; a reply is text, whose
 * meaning is its writer's. Bounded in bytes: what is over its time goes, then what would be first.
 *
 * It is there to make things faster: no method rejects, and none waits long. A cache that cannot be reached knows nothing.
 */
export interface ResponseCache {
  /** Null: there is none, its time is over, or it did not come in time. */
  get(key: string): Promise<string | null>;
  /** From now on, for `ttlMs`, `get` gives this reply, unless there is no room for it. Resolves when that is so. */
  set(key: string, reply: string, ttlMs: number): Promise<void>;
}
