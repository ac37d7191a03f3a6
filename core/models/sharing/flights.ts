import { GatewayError } from '../../contracts/gateway-error.ts';
import { cancelled } from '../calls/call-bounds.ts';
import type { CallOptions } from '../models.ts';
import { Flight } from './flight.ts';

/** What is asked for: `key` is equal where the answer may be shared. */
export interface SharedCall<Item> {
  readonly key: string;
  /** For errors. */
  readonly label: string;
  readonly options: CallOptions;
  begin(options: CallOptions): AsyncIterable<Item>;
  /** Whether there was a call to join. */
  onLook(isHit: boolean): void;
}

/** The calls that are under way and may be joined. */
export class Flights<Item> {
  readonly #flights = new Map<string, Flight<Item>>();

  async *read(call: SharedCall<Item>): AsyncGenerator<Item, void, undefined> {
    for (;;) {
      const { label, options } = call;
      if (options.signal.aborted) throw cancelled(label, options.signal.reason);
      const known = this.#flights.get(call.key);
      call.onLook(known !== undefined);
      const flight = known ?? this.#begin(call);
      let isSilent = true;
      try {
        for await (const item of flight.read(options)) {
          isSilent = false;
          yield item;
        }
        return;
      } catch (error) {
        // Of the key that was to pay, not of the question: whoever pays with another key asks again.
        const isOfPayer = flight.payer !== (options.payer ?? null) && isRefusedToPayer(error);
        if (known === undefined || !isSilent || !isOfPayer) throw error;
      }
    }
  }

  #begin({ key, label, options, begin }: SharedCall<Item>): Flight<Item> {
    const flight: Flight<Item> = new Flight(label, options, begin, () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    this.#flights.set(key, flight);
    return flight;
  }
}

/** A budget that is spent, a limit that is reached, or a budget without a price to count by. */
function isRefusedToPayer(error: unknown): boolean {
  return error instanceof GatewayError && ['BUDGET_EXCEEDED', 'RATE_LIMITED', 'BAD_INPUT'].includes(error.code);
}
