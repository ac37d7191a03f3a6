import type { PGlite } from '@electric-sql/pglite';

const startUp = 0;
/** Parse, Bind, Describe, Execute, Close: PostgreSQL owes no answer to them before the Sync or Flush that ends their exchange. */
const unanswered: ReadonlySet<number> = new Set(Buffer.from('PBDEC'));
/** A long answer goes out in parts of this size: only so much of it is there twice. */
const partBytes = 256 * 1024;

/**
 * Has a statement run, and its answer sent, as a whole. The socket server hands over message by message what the driver sends as
 * one, and PostgreSQL answers in pieces of 8 KB: each a write, and a wake-up of the thread that waits, which together took longer than
 * many a statement.
 *
 * For one connection at a time. What one has left behind that broke off in mid-statement is forgotten when the next begins.
 */
export function exchangeWhole(instance: Pick<PGlite, 'execProtocolRawStream'>): void {
  const run = instance.execProtocolRawStream.bind(instance);
  let begun: Uint8Array[] = [];
  instance.execProtocolRawStream = async (message, options) => {
    const [type = startUp] = message;
    if (type === startUp) begun = [];
    begun.push(message);
    if (unanswered.has(type)) return;
    const whole = begun.length === 1 ? message : Buffer.concat(begun);
    begun = [];
    const answer = new Answer(options.onRawData);
    await run(whole, { ...options, onRawData: (piece) => answer.add(piece) });
    answer.send();
  };
}

class Answer {
  readonly #onPart: (part: Uint8Array) => void;
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  constructor(onPart: (part: Uint8Array) => void) {
    this.#onPart = onPart;
  }

  /** The piece lies in PostgreSQL's own buffer, which is written to again. */
  add(piece: Uint8Array): void {
    this.#pieces.push(piece.slice());
    this.#bytes += piece.length;
    if (this.#bytes >= partBytes) this.send();
  }

  send(): void {
    if (this.#bytes > 0) this.#onPart(Buffer.concat(this.#pieces));
    this.#pieces = [];
    this.#bytes = 0;
  }
}
