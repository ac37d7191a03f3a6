import type { Clock } from '../contracts/clock.ts';
import type { RunEvent } from '../contracts/run-event.ts';
import { type Delta, HalfCharacters } from './half-characters.ts';

export interface DeltaWriterOptions {
  /** `EventLog.append` with its run and attempt: resolves with the newest seq. One call at a time. */
  readonly append: (events: readonly RunEvent[]) => Promise<number>;
  readonly clock?: Pick<Clock, 'sleep'>;
  /** Text that follows text is appended this long after the append before it … */
  readonly minIntervalMs?: number;
  /** … and never later than this, however busy the process is. */
  readonly maxIntervalMs?: number;
  /** How far the event loop lags now, 0 when idle: widens the interval, so that a busy process writes less often. */
  readonly eventLoopLagMs?: () => number;
  /** Called once, with the error of the failed append: abort the generation, nobody will read it. Must not throw. */
  readonly onError?: (error: unknown) => void;
}

/** Stands between a generation, which writes token by token, and its log. */
export interface DeltaWriter {
  /**
   * Takes an event at once, without I/O. The first text after a silence is appended immediately, further deltas are
   * gathered for an interval, the neighbours of one message joined into one event. Any other event is appended
   * immediately, after the text before it. Throws the error of a failed append, whose events and all later ones are lost.
   * Half a character (a high surrogate) at the end of a delta is kept back until the next delta brings its mate.
   */
  write(event: RunEvent): void;
  /**
   * Resolves when all that was written is in the log, with the seq of this writer's newest event (0: none yet). Rejects
   * with the error of a failed append.
   */
  flush(): Promise<number>;
  /** Flushes, half a character at the end of the text included, and takes no more. */
  close(): Promise<number>;
}

const realTime: Pick<Clock, 'sleep'> = { sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) };

/**
 * While an append is in flight, everything new waits for the next one: a slow log makes fewer, longer events, and memory
 * grows with the text alone.
 */
export function createDeltaWriter(options: DeltaWriterOptions): DeltaWriter {
  return new LogWriter(options);
}

/** A class, not a handful of functions around their variables: thousands of runs wait at once, each with one. */
class LogWriter implements DeltaWriter {
  readonly #options: DeltaWriterOptions;
  readonly #halves = new HalfCharacters();
  #pending: RunEvent[] = [];
  /** Something in `pending` must not wait for the interval. */
  #urgent = false;
  #resting = false;
  #inFlight: Promise<void> | null = null;
  #batchesTaken = 0;
  #batchesDone = 0;
  #lastSeq = 0;
  #failure: { readonly error: unknown } | null = null;
  #closing: Promise<number> | null = null;

  constructor(options: DeltaWriterOptions) {
    this.#options = options;
  }

  write(event: RunEvent): void {
    if (this.#failure) throw this.#failure.error;
    if (this.#closing) throw new Error(`${event.type} was written to a closed delta writer`);
    if (isDelta(event)) {
      this.#addText(this.#halves.whole(event));
    } else {
      for (const rest of this.#halves.endedBy(event)) this.#addText(rest);
      this.#pending.push(event);
      this.#urgent = true;
    }
    this.#send();
  }

  async flush(): Promise<number> {
    const target = this.#pending.length > 0 ? this.#batchesTaken + 1 : this.#batchesTaken;
    while (!this.#failure && this.#batchesDone < target) {
      if (this.#pending.length > 0) this.#urgent = true;
      this.#send();
      await this.#inFlight;
    }
    if (this.#failure) throw this.#failure.error;
    return this.#lastSeq;
  }

  close(): Promise<number> {
    if (!this.#closing) {
      for (const rest of this.#halves.all()) this.#addText(rest);
      this.#closing = this.flush();
    }
    return this.#closing;
  }

  #addText(event: Delta): void {
    if (event.delta === '') return;
    const last = this.#pending.at(-1);
    if (last?.type === event.type && last.messageId === event.messageId) {
      this.#pending[this.#pending.length - 1] = { ...event, delta: last.delta + event.delta };
    } else {
      this.#pending.push(event);
    }
  }

  /** Starts an append if there is something to append, nothing in flight, and no reason to wait. */
  #send(): void {
    if (this.#inFlight || this.#failure || this.#pending.length === 0 || (this.#resting && !this.#urgent)) return;
    const events = this.#pending;
    this.#pending = [];
    this.#urgent = false;
    this.#batchesTaken += 1;
    this.#inFlight = this.#deliver(events);
  }

  async #deliver(events: readonly RunEvent[]): Promise<void> {
    try {
      if (events.some(isDelta)) this.#rest();
      this.#lastSeq = await this.#options.append(events);
      this.#batchesDone += 1;
      this.#inFlight = null;
    } catch (error) {
      this.#failure = { error };
      this.#pending = [];
      this.#inFlight = null;
      this.#options.onError?.(error);
    }
    this.#send();
  }

  /** One rest at a time: an urgent append in the middle of a rest does not prolong it for the text behind it. */
  #rest(): void {
    if (this.#resting) return;
    this.#resting = true;
    const { clock = realTime, minIntervalMs = 20, maxIntervalMs = 50, eventLoopLagMs } = this.#options;
    // A histogram without samples gives NaN.
    const lagMs = Math.max(0, eventLoopLagMs?.() || 0);
    const wake = () => {
      this.#resting = false;
      this.#send();
    };
    // A clock that fails must not stop the stream.
    clock.sleep(Math.min(maxIntervalMs, minIntervalMs + lagMs)).then(wake, wake);
  }
}

function isDelta(event: RunEvent): event is Delta {
  return event.type === 'TextMessageDelta' || event.type === 'ReasoningDelta';
}
