/**
 * Lets any number of followers wait for news of one id. An id takes room only while somebody waits for it, so waiting
 * for a run that never comes leaves nothing behind.
 *
 * Each waiter has its own promise: racing one shared promise against the signal would keep a reaction per aborted
 * waiter alive until the next event.
 */
export class WakeUps {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** How many ids are waited for. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Resolves at the next `wake(id)`; rejects with the signal's reason as soon as it is aborted. */
  wait(id: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const wake = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.#remove(id, wake);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#add(id, wake);
    });
  }

  wake(id: string): void {
    const waiters = this.#waiting.get(id);
    if (waiters === undefined) return;
    this.#waiting.delete(id);
    for (const wake of waiters) wake();
  }

  wakeAll(): void {
    for (const id of [...this.#waiting.keys()]) this.wake(id);
  }

  #add(id: string, wake: () => void): void {
    const waiters = this.#waiting.get(id);
    if (waiters === undefined) this.#waiting.set(id, new Set([wake]));
    else waiters.add(wake);
  }

  #remove(id: string, wake: () => void): void {
    const waiters = this.#waiting.get(id);
    if (waiters?.delete(wake) && waiters.size === 0) this.#waiting.delete(id);
  }
}
