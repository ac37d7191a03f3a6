import type { Writable } from 'node:stream';
import type { Citation } from '../client/run-event.ts';
import { printable, printableLine } from '../printable.ts';

/** Writes one answer while it comes, then its sources. What was written stays written: every call only adds. */
export class AnswerPrinter {
  readonly #stream: Writable;
  readonly #sources = new Map<number, Citation>();
  /** The message up to here, as the gateway sent it. */
  #text = '';
  /** The first half of a character whose second half is in the next delta. */
  #held = '';
  #complete = true;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  delta(delta: string): void {
    // After a gap the deltas don't fit to what was written; `wholeText` brings the rest.
    if (this.#complete) this.#write(delta);
  }

  reset(reason: string): void {
    if (this.#text !== '') this.#stream.write(`\n\n[the answer starts again: ${printableLine(reason)}]\n\n`);
    this.#text = '';
    this.#held = '';
    this.#sources.clear();
    // Everything of the new attempt comes after this event, so nothing of it is missing.
    this.#complete = true;
  }

  cite(citation: Citation): void {
    this.#sources.set(citation.number, citation);
  }

  gap(): void {
    this.#complete = false;
  }

  get complete(): boolean {
    return this.#complete;
  }

  /** After a gap: adds what is missing. When it does not go on from what was written, the whole text is. */
  wholeText(text: string, citations: readonly Citation[]): void {
    if (!text.startsWith(this.#text)) this.reset('part of it was missed');
    this.#complete = true;
    this.#write(text.slice(this.#text.length));
    for (const citation of citations) this.cite(citation);
  }

  end(): void {
    if (this.#text !== '' && !this.#text.endsWith('\n')) this.#stream.write('\n');
    if (this.#sources.size === 0) return;
    this.#stream.write('\nSources\n');
    for (const source of [...this.#sources.values()].sort((one, other) => one.number - other.number)) {
      this.#stream.write(`[${source.number}] ${printableLine(source.title ?? 'untitled')}\n`);
      this.#stream.write(`    "${printableLine(source.quote)}"\n`);
      if (source.url !== null) this.#stream.write(`    ${printableLine(source.url)}\n`);
    }
  }

  #write(delta: string): void {
    this.#text += delta;
    const text = this.#held + delta;
    const cut = /[\uD800-\uDBFF]$/.test(text) ? text.length - 1 : text.length;
    this.#held = text.slice(cut);
    this.#stream.write(printable(text.slice(0, cut)));
  }
}
