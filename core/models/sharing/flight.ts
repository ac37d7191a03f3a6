import type { Usage } from '../../contracts/usage.ts';
import { cancelled } from '../calls/call-bounds.ts';
import type { CallOptions } from '../models.ts';
import { UsageMeter } from '../usage/usage-meter.ts';
import { Seat } from './seat.ts';

/**
 * One call that several callers share. It is read as fast as it comes, into memory; each caller reads from there, from the
 * beginning on and at its own pace, so that a late one misses nothing and a slow one holds up nobody. A caller that leaves ends
 * nothing but its own reading; when the last one leaves, the call is aborted.
 *
 * What it costs is counted once: on the meter of the caller that has been there longest when the cost is known, the first one
 * unless it has left. When all have left, on that of the last, whose reading ends only after it.
 */
export class Flight<Item> {
  /** The key that pays: of the first caller. */
  readonly payer: string | null;
  readonly #label: string;
  readonly #controller = new AbortController();
  readonly #seats = new Set<Seat>();
  readonly #items: Item[] = [];
  readonly #onOver: () => void;
  readonly #done: Promise<void>;
  #bearer: UsageMeter;
  /** Null: under way. */
  #end: { readonly error: unknown } | 'clean' | null = null;

  /** Begins the call at once. `onOver`: nobody can join any more. */
  constructor(
    label: string,
    first: CallOptions,
    begin: (options: CallOptions) => AsyncIterable<Item>,
    onOver: () => void,
  ) {
    this.#label = label;
    this.payer = first.payer ?? null;
    this.#bearer = first.meter;
    this.#onOver = onOver;
    const { timeoutMs: _own, ...options } = first;
    const meter = new SharedMeter((usage) => this.#bear(usage));
    this.#done = this.#read(begin({ ...options, meter, signal: this.#controller.signal }));
  }

  /** All that came and comes, until the call's end. Throws its error, CANCELLED, or UPSTREAM_TIMEOUT of this caller alone. */
  read(options: CallOptions): AsyncIterable<Item> {
    // Not when the reading begins: a flight without a seat would be one that everybody has left.
    const seat = new Seat(this.#label, options);
    this.#seats.add(seat);
    return this.#from(seat);
  }

  async *#from(seat: Seat): AsyncGenerator<Item, void, undefined> {
    using _seat = seat;
    try {
      for (let next = 0; ; ) {
        if (seat.left !== null) throw seat.left;
        const item = this.#items[next];
        if (item !== undefined) {
          next += 1;
          yield item;
        } else if (this.#end === 'clean') {
          return;
        } else if (this.#end !== null) {
          throw this.#end.error;
        } else {
          await seat.news();
        }
      }
    } finally {
      await this.#leave(seat);
    }
  }

  async #leave(seat: Seat): Promise<void> {
    this.#seats.delete(seat);
    if (this.#seats.size > 0 || this.#end !== null) return;
    this.#bearer = seat.options.meter;
    this.#onOver();
    this.#controller.abort(seat.left ?? cancelled(this.#label, 'the last reader left'));
    // Until then its cost is not on the meter.
    await this.#done;
  }

  async #read(items: AsyncIterable<Item>): Promise<void> {
    try {
      for await (const item of items) {
        this.#items.push(item);
        for (const seat of this.#seats) seat.tell();
      }
      this.#end = 'clean';
    } catch (error) {
      this.#end = { error };
    }
    this.#onOver();
    for (const seat of this.#seats) seat.tell();
  }

  #bear(usage: Usage): void {
    const [longest] = this.#seats;
    (longest?.options.meter ?? this.#bearer).addUsage(usage);
  }
}

/** Counts where the flight says. */
class SharedMeter extends UsageMeter {
  readonly #bear: (usage: Usage) => void;

  constructor(bear: (usage: Usage) => void) {
    super();
    this.#bear = bear;
  }

  override addUsage(usage: Usage): void {
    super.addUsage(usage);
    this.#bear(usage);
  }
}
