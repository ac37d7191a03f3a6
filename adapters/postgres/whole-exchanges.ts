import type { PGlite } from '@electric-sql/pglite';

const startUp = 0;
/** Parse, Bind, Describe, Execute, Close: PostgreSQL owes no answer to them before the Sync or Flush that ends their exchange. */
const unanswered: ReadonlySet<number> = new Set(Buffer.from('PBDEC'));
/** A long answer goes out in parts of this size: whoever reads it does so while the rest is made. */
const partBytes = 32 * 1024;

/**
 * Has a statement run, and its answer sent, as a whole. The socket server hands over message by message what the driver sends as
 * one, and PostgreSQL answers in pieces of 8 KB: each a write, and a wake-up of the thread that waits, which together took longer than
 * many a statement.
 *
 * For one connection at a time. What one has left behind that broke off in mid-statement is forgotten when the next begins.
 */
export function exchangeWhole(instance: Pick<PGlite, 'execProtocolRawStream'>): void {
  const run = instance.execProtocolRawStream.bind(instance);
  const answer = new Answer();
  let begun: Uint8Array[] = [];
  instance.execProtocolRawStream = async (message, options) => {
    const [type = startUp] = message;
    if (type === startUp) begun = [];
    begun.push(message);
    if (unanswered.has(type)) return;
    const whole = begun.length === 1 ? message : Buffer.concat(begun);
    begun = [];
    answer.begin(options.onRawData);
    await run(whole, { ...options, onRawData: (piece) => answer.add(piece) });
    answer.send();
  };
}

/**
 * Pieces lie in PostgreSQL's own buffer, which is written to again. They are gathered in memory that is kept for the next answer:
 * each copy more would have to be collected, which stops the thread for longer than a statement takes. Whoever is given a part copies it
 * before it returns, as the socket server does.
 */
class Answer {
  readonly #gathered = Buffer.allocUnsafeSlow(partBytes);
  #onPart: (part: Uint8Array) => void = () => {};
  #bytes = 0;

  begin(onPart: (part: Uint8Array) => void): void {
    this.#onPart = onPart;
    this.#bytes = 0;
  }

  add(piece: Uint8Array): void {
    if (this.#bytes + piece.length > partBytes) this.send();
    if (piece.length > partBytes) this.#onPart(piece);
    else {
      this.#gathered.set(piece, this.#bytes);
      this.#bytes += piece.length;
    }
  }

  send(): void {
    if (this.#bytes > 0) this.#onPart(this.#gathered.subarray(0, this.#bytes));
    this.#bytes = 0;
  }
}
