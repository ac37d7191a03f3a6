/** What happens when: a binary heap, since millions of moments are put in and taken out. Ties go in the order they were put in. */
export class Schedule {
  readonly #heap: { readonly atMs: number; readonly order: number; readonly what: () => void }[] = [];
  #order = 0;
  #nowMs = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, what: () => void): void {
    const heap = this.#heap;
    const entry = { atMs: this.#nowMs + ms, order: this.#order++, what };
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(index, parent)) break;
      this.#swap(index, parent);
      index = parent;
    }
  }

  /** Until nothing more is to happen before then. */
  runUntil(ms: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= ms; next = this.#heap[0]) {
      this.#takeFirst();
      this.#nowMs = next.atMs;
      next.what();
    }
    this.#nowMs = ms;
  }

  #takeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let index = 0; ; ) {
      let least = index;
      for (const child of [2 * index + 1, 2 * index + 2])
        if (child < heap.length && this.#isBefore(child, least)) least = child;
      if (least === index) return;
      this.#swap(index, least);
      index = least;
    }
  }

  #isBefore(left: number, right: number): boolean {
    const [one, other] = [this.#heap[left], this.#heap[right]];
    if (one === undefined || other === undefined) return false;
    return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
  }

  #swap(left: number, right: number): void {
    const [one, other] = [this.#heap[left], this.#heap[right]];
    if (one === undefined || other === undefined) return;
    this.#heap[left] = other;
    this.#heap[right] = one;
  }
}
