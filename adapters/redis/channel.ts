import type { LoggedEvent, RunKey } from '../../core/contracts/event-log.ts';
import { RunLog } from '../../core/runs/run-log.ts';
import { nameOf, shardOf } from './keys.ts';
import type { StoredPage } from './log-pages.ts';

export interface WindowLimits {
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/** What a reader at some position does next. */
export type NextStep =
  | { readonly type: 'event'; readonly logged: LoggedEvent }
  /** What comes next is not here: it is read from Redis. */
  | { readonly type: 'behind' }
  | { readonly type: 'wait' }
  | { readonly type: 'end' };

/** A run that gets no event from here for so long may have moved: its followers listen to Redis from then on. */
const ownedForMs = 2_000;

/**
 * What this process knows of one run's log: a window of its newest events, shared by all that follow the run here. It is
 * fed by the appends of this process or by the tail, whichever comes first, and takes each event once.
 */
export class Channel {
  readonly key: RunKey;
  readonly name: string;
  readonly shard: number;
  followers = 0;
  /** Appends of this process on their way. */
  appending = 0;
  readonly #limits: WindowLimits;
  #window = new RunLog();
  #isKnown = false;
  #ownedUntilMs = 0;

  constructor(key: RunKey, limits: WindowLimits) {
    this.key = { tenant: key.tenant, runId: key.runId };
    this.name = nameOf(key);
    this.shard = shardOf(this.name);
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#window.bytes;
  }

  /** Where the log stands is known: a page, or an append, has told. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** The newest seq that came here. */
  get newest(): number {
    return this.#window.lastSeq;
  }

  get ended(): boolean {
    return this.#window.ended;
  }

  /** This process writes the log, as far as it knows: its followers need nobody else. */
  isOwned(nowMs: number): boolean {
    return this.appending > 0 || nowMs < this.#ownedUntilMs;
  }

  /** Somebody must listen to Redis for it. */
  needsTail(nowMs: number): boolean {
    return this.followers > 0 && this.#isKnown && !this.ended && !this.isOwned(nowMs);
  }

  own(nowMs: number): void {
    this.#ownedUntilMs = nowMs + ownedForMs;
  }

  disown(): void {
    this.#ownedUntilMs = 0;
  }

  next(position: number): NextStep {
    if (!this.#isKnown) return { type: 'behind' };
    if (position >= this.newest) return { type: this.ended ? 'end' : 'wait' };
    const next = this.#window.next(position);
    return next === undefined || 'gapUntil' in next ? { type: 'behind' } : { type: 'event', logged: next };
  }

  /** Takes what is new of these, which follow each other. Events missing before them make the window begin anew. */
  take(events: readonly LoggedEvent[]): void {
    const [first] = events;
    if (first === undefined) return;
    if (!this.#isKnown || first.seq > this.newest + 1) this.#window.raiseTo(first.seq - 1);
    this.#isKnown = true;
    for (const { seq, at, event } of events) if (seq > this.newest) this.#window.append(event, at);
    const { maxEvents, maxBytes } = this.#limits;
    while (this.#window.size > maxEvents || (this.#window.size > 0 && this.bytes > maxBytes)) this.#window.dropOldest();
  }

  /** Seqs up to this one are taken, and their events are not here. */
  raiseTo(seq: number): void {
    this.#isKnown = true;
    this.#window.raiseTo(seq);
  }

  /** The log was removed: where it stands is to be found out anew. */
  forget(): void {
    this.#window = new RunLog();
    this.#isKnown = false;
  }

  /** Gives its memory back; what it knows stays. */
  forgetEvents(): void {
    while (this.#window.size > 0) this.#window.dropOldest();
  }

  /** What a page says that was asked for when `newestBefore` was the newest seq here (null: not known yet). */
  learn({ events, lastSeq, ended }: StoredPage, newestBefore: number | null): void {
    // Redis was emptied, or fell back behind what it had confirmed: what is known here is no more.
    const isLost = newestBefore !== null && lastSeq < newestBefore;
    if (isLost) this.#window = new RunLog();
    if (isLost || !this.#isKnown) {
      this.#isKnown = true;
      if (events.at(-1)?.seq === lastSeq) this.take(events);
      else this.#window.raiseTo(lastSeq);
    }
    if (ended && lastSeq >= this.newest) {
      this.#window.raiseTo(lastSeq);
      this.#window.ended = true;
    }
  }
}
