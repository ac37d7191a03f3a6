/** How much of the newest observation goes into the average: the last ten or so make it. */
const newestShare = 0.2;

/** Exponentially weighted average of one target's times to the first token. */
export class Speed {
  #averageMs: number | null = null;

  /** Null: it has never been called, or has never begun to answer. */
  get averageMs(): number | null {
    return this.#averageMs;
  }

  observe(ms: number): void {
    this.#averageMs = this.#averageMs === null ? ms : this.#averageMs + newestShare * (ms - this.#averageMs);
  }
}
