/** One bucket of a scope: it refills evenly with `perMinute` units a minute, and holds at most a minute's worth. */
export interface Bucket {
  readonly name: string;
  readonly perMinute: number;
}

/** So many units of a bucket. */
export interface Units extends Bucket {
  readonly units: number;
}

/**
 * Rates per minute, the same for all instances that share it. A scope is what is limited (a key of a provider, an API key); its
 * buckets (requests, tokens) are taken from together or not at all. A bucket begins full, and the rate is whatever the last call
 * said. Nothing rejects: where the shared state cannot be reached, each instance counts for itself until it can.
 */
export interface RateLimiter {
  /**
   * Takes the units of every bucket and resolves with 0, or takes nothing and resolves with the milliseconds until they could
   * be there. Nothing is kept for who waits: it asks again then. More units than a bucket can ever hold are taken from a full one,
   * which then owes them.
   */
  take(scope: string, units: readonly Units[]): Promise<number>;
  /** Takes more without asking (the bucket then owes them), or gives back where `units` is negative. */
  adjust(scope: string, units: readonly Units[]): void;
  /** Leaves at most so many units in each bucket: what somebody else knows of it. */
  lower(scope: string, units: readonly Units[]): void;
}
