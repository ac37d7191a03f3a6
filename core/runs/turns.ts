/**
 * So many at once, the others in the order in which they came. Own code: p-limit makes four promises and three functions for each
 * task, also where nobody has to wait, which is nearly always.
 */
export class Turns {
  readonly #most: number;
  readonly #waiting = new Set<() => void>();
  #active = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** How many wait. */
  get pendingCount(): number {
    return this.#waiting.size;
  }

  /** Begins the work at once where there is room, in the caller's own asynchronous context in any case. */
  async take(work: () => Promise<void>): Promise<void> {
    if (this.#active < this.#most) this.#active += 1;
    else await new Promise<void>((resolve) => this.#waiting.add(resolve));
    try {
      await work();
    } finally {
      this.#pass();
    }
  }

  /** To the one that waits longest, if any does: then as many are active as before. */
  #pass(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#active -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
