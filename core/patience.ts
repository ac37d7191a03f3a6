/**
 * For what is asked on the way and can be done without: an answer that comes too late, or is an error, is none, and after a late one
 * nothing is asked for a while, so that only one in many waits for what has gone.
 */
export class Patience {
  readonly #patienceMs: number;
  readonly #restMs: number;
  #restsUntil = 0;

  constructor(patienceMs: number, restMs = 1_000) {
    this.#patienceMs = patienceMs;
    this.#restMs = restMs;
  }

  get isResting(): boolean {
    return performance.now() < this.#restsUntil;
  }

  /** Null: no answer. `signal` is aborted when it is too late for one. */
  async within<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
    if (this.isResting) return null;
    const waiting = new AbortController();
    const { promise: late, resolve } = Promise.withResolvers<null>();
    const timer = setTimeout(() => {
      this.#restsUntil = performance.now() + this.#restMs;
      waiting.abort();
      resolve(null);
    }, this.#patienceMs);
    try {
      return await Promise.race([work(waiting.signal).catch(() => null), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
