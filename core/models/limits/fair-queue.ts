/**
 * Who waits for one thing, in turns: one of each tenant, first come first served within a tenant. So a tenant that has a thousand
 * waiting holds up another one by one place at a time.
 */
export class FairQueue<T> {
  /** The Map's order is the turns: who was served goes to the end. Sets, since waiters leave from the middle. */
  readonly #lines = new Map<string, Set<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(tenant: string, item: T): void {
    const line = this.#lines.get(tenant);
    if (line === undefined) this.#lines.set(tenant, new Set([item]));
    else line.add(item);
    this.#size += 1;
  }

  /** Whose turn it is. */
  first(): T | undefined {
    return this.#lines.values().next().value?.values().next().value;
  }

  /** Served: the tenant's next one waits for the turns of all others. */
  served(tenant: string, item: T): void {
    const line = this.#lines.get(tenant);
    if (!this.leave(tenant, item) || line === undefined || line.size === 0) return;
    this.#lines.delete(tenant);
    this.#lines.set(tenant, line);
  }

  /** False: it was not there. */
  leave(tenant: string, item: T): boolean {
    const line = this.#lines.get(tenant);
    if (line?.delete(item) !== true) return false;
    this.#size -= 1;
    if (line.size === 0) this.#lines.delete(tenant);
    return true;
  }

  /** All, as they will be served if nobody else comes. */
  *inOrder(): Generator<T, void, undefined> {
    let lines = [...this.#lines.values()].map((line) => [...line].values());
    while (lines.length > 0) {
      const more: ArrayIterator<T>[] = [];
      for (const line of lines) {
        const { done, value } = line.next();
        if (done === true) continue;
        yield value;
        more.push(line);
      }
      lines = more;
    }
  }

  /** The newest of the tenant with the most waiting, if those are more than this tenant would have with one more. */
  newestOfLonger(tenant: string): T | undefined {
    let longest: Set<T> | undefined;
    for (const line of this.#lines.values()) if (line.size > (longest?.size ?? 0)) longest = line;
    if (longest === undefined || longest.size <= (this.#lines.get(tenant)?.size ?? 0) + 1) return undefined;
    return [...longest].at(-1);
  }
}
