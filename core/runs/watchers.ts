import type { RunKey } from '../contracts/event-log.ts';
import { mapKey } from './run-key.ts';

/**
 * Counts who follows each run. By id and not by run: a client may follow first and start second, and must count then
 * too. An id takes room only while somebody follows it.
 */
export class Watchers {
  readonly #counts = new Map<string, number>();
  readonly #onChange: (key: RunKey, count: number) => void;

  constructor(onChange: (key: RunKey, count: number) => void) {
    this.#onChange = onChange;
  }

  count(key: RunKey): number {
    return this.#counts.get(mapKey(key)) ?? 0;
  }

  /** Counts until it is disposed. */
  watch(key: RunKey): Disposable {
    this.#set(key, this.count(key) + 1);
    let watching = true;
    return {
      [Symbol.dispose]: () => {
        if (!watching) return;
        watching = false;
        this.#set(key, this.count(key) - 1);
      },
    };
  }

  #set(key: RunKey, count: number): void {
    if (count === 0) this.#counts.delete(mapKey(key));
    else this.#counts.set(mapKey(key), count);
    this.#onChange(key, count);
  }
}
