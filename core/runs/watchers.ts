/**
 * Counts who follows each run. By id and not by run: a client may follow first and start second, and must count then
 * too. An id takes room only while somebody follows it.
 */
export class Watchers {
  readonly #counts = new Map<string, number>();
  readonly #onChange: (id: string, count: number) => void;

  constructor(onChange: (id: string, count: number) => void) {
    this.#onChange = onChange;
  }

  count(id: string): number {
    return this.#counts.get(id) ?? 0;
  }

  /** Counts until it is disposed. */
  watch(id: string): Disposable {
    this.#set(id, this.count(id) + 1);
    let watching = true;
    return {
      [Symbol.dispose]: () => {
        if (!watching) return;
        watching = false;
        this.#set(id, this.count(id) - 1);
      },
    };
  }

  #set(id: string, count: number): void {
    if (count === 0) this.#counts.delete(id);
    else this.#counts.set(id, count);
    this.#onChange(id, count);
  }
}
