/** Gives a slot back. Idempotent. */
export type Release = () => void;

/**
 * So many at once, so many waiting, first come first served. Own code, since a waiter must leave the queue the moment its
 * signal is aborted: cockatiel's bulkhead keeps an abandoned one in its place until a slot gets to it, and p-limit has neither
 * a bound nor a signal.
 */
export class Semaphore {
  readonly #slots: number;
  readonly #maxQueued: number;
  /** In order of arrival; a Set, since waiters leave from the middle. */
  readonly #waiting = new Set<() => void>();
  #active = 0;

  constructor(slots: number, maxQueued: number) {
    this.#slots = slots;
    this.#maxQueued = maxQueued;
  }

  get active(): number {
    return this.#active;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  /** Rejects with `full()` when the queue is, and with the signal's reason as soon as it is aborted. */
  async acquire(signal: AbortSignal, full: () => Error): Promise<Release> {
    signal.throwIfAborted();
    if (this.#active >= this.#slots) {
      if (this.#waiting.size >= this.#maxQueued) throw full();
      await this.#turn(signal);
    } else {
      this.#active += 1;
    }
    let held = true;
    return () => {
      if (held) this.#pass();
      held = false;
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.delete(enter);
        reject(signal.reason);
      };
      this.#waiting.add(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** The slot goes straight to the next in line, so that no newcomer can slip in between. */
  #pass(): void {
    const next = this.#waiting.values().next().value;
    if (next === undefined) {
      this.#active -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
