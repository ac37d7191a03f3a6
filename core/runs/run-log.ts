import type { LogGap, LoggedEvent, LogPage } from '../contracts/event-log.ts';
import { isTerminal, type RunEvent } from '../contracts/run-event.ts';

/** What an empty log and an event are taken to cost beside their text: objects, map entries, array slots. */
const logBytes = 512;
const eventBytes = 256;
/** Emptied slots at the front are cut off in one go, so that dropping the oldest event is O(1) on average. */
const compactAt = 256;

interface Slot {
  readonly logged: LoggedEvent;
  readonly bytes: number;
}

/** The events of one run, oldest dropped first. Seqs go on counting whatever was dropped. */
export class RunLog {
  /** The highest attempt that has appended. */
  attempt = 0;
  lastSeq = 0;
  /** When something was last appended. */
  touchedAt = 0;
  ended = false;
  /** An estimate that errs on the large side (two bytes a character). */
  bytes = logBytes;
  readonly #slots: (Slot | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#slots.length - this.#head;
  }

  /** Everything up to and including this seq is gone. */
  get droppedUntil(): number {
    return this.lastSeq - this.size;
  }

  append(event: RunEvent, at: number): void {
    const bytes = bytesOf(event);
    this.lastSeq += 1;
    this.touchedAt = at;
    this.bytes += bytes;
    this.ended = isTerminal(event);
    this.#slots.push({ logged: { seq: this.lastSeq, at, event }, bytes });
  }

  /** Seqs go on behind this one; what was before it counts as dropped. */
  raiseTo(floor: number): void {
    if (floor <= this.lastSeq) return;
    this.lastSeq = floor;
    this.bytes = logBytes;
    this.#slots.length = 0;
    this.#head = 0;
  }

  dropOldest(): void {
    const slot = this.#slots[this.#head];
    if (slot === undefined) return;
    this.bytes -= slot.bytes;
    this.#slots[this.#head] = undefined;
    this.#head += 1;
    if (this.#head >= compactAt && this.#head * 2 >= this.#slots.length) {
      this.#slots.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** What comes after this seq: an event, the gap before it, or undefined when there is nothing newer. */
  next(after: number): LoggedEvent | LogGap | undefined {
    if (after >= this.lastSeq) return undefined;
    if (after < this.droppedUntil) return { gapUntil: this.droppedUntil };
    return this.#slots[this.#head + after - this.droppedUntil]?.logged;
  }

  page(after: number, limit: number): LogPage {
    const from = Math.max(after, this.droppedUntil);
    const start = this.#head + from - this.droppedUntil;
    const events: LoggedEvent[] = [];
    for (const slot of this.#slots.slice(start, start + Math.max(0, limit))) if (slot) events.push(slot.logged);
    return { gap: from > after ? { gapUntil: from } : null, events, lastSeq: this.lastSeq };
  }
}

function bytesOf(event: RunEvent): number {
  const text =
    event.type === 'TextMessageDelta' || event.type === 'ReasoningDelta' ? event.delta : JSON.stringify(event);
  return eventBytes + 2 * text.length;
}
