import type { Clock } from '../contracts/clock.ts';
import type { RunEvent } from '../contracts/run-event.ts';
import { createHalfCharacters, type Delta } from './half-characters.ts';

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
  const {
    append,
    clock = realTime,
    minIntervalMs = 20,
    maxIntervalMs = 50,
    eventLoopLagMs = () => 0,
    onError,
  } = options;
  const halves = createHalfCharacters();
  let pending: RunEvent[] = [];
  /** Something in `pending` must not wait for the interval. */
  let urgent = false;
  let resting = false;
  let inFlight: Promise<void> | null = null;
  let batchesTaken = 0;
  let batchesDone = 0;
  let lastSeq = 0;
  let failure: { readonly error: unknown } | null = null;
  let closing: Promise<number> | null = null;

  function write(event: RunEvent): void {
    if (failure) throw failure.error;
    if (closing) throw new Error(`${event.type} was written to a closed delta writer`);
    if (isDelta(event)) {
      addText(halves.whole(event));
    } else {
      for (const rest of halves.endedBy(event)) addText(rest);
      pending.push(event);
      urgent = true;
    }
    send();
  }

  function addText(event: Delta): void {
    if (event.delta === '') return;
    const last = pending.at(-1);
    if (last?.type === event.type && last.messageId === event.messageId) {
      pending[pending.length - 1] = { ...event, delta: last.delta + event.delta };
    } else {
      pending.push(event);
    }
  }

  /** Starts an append if there is something to append, nothing in flight, and no reason to wait. */
  function send(): void {
    if (inFlight || failure || pending.length === 0 || (resting && !urgent)) return;
    const events = pending;
    pending = [];
    urgent = false;
    batchesTaken += 1;
    inFlight = deliver(events);
  }

  async function deliver(events: readonly RunEvent[]): Promise<void> {
    try {
      if (events.some(isDelta)) rest();
      lastSeq = await append(events);
      batchesDone += 1;
      inFlight = null;
    } catch (error) {
      failure = { error };
      pending = [];
      inFlight = null;
      onError?.(error);
    }
    send();
  }

  /** One rest at a time: an urgent append in the middle of a rest does not prolong it for the text behind it. */
  function rest(): void {
    if (resting) return;
    resting = true;
    // A histogram without samples gives NaN.
    const lagMs = Math.max(0, eventLoopLagMs() || 0);
    const intervalMs = Math.min(maxIntervalMs, minIntervalMs + lagMs);
    const wake = () => {
      resting = false;
      send();
    };
    // A clock that fails must not stop the stream.
    clock.sleep(intervalMs).then(wake, wake);
  }

  async function flush(): Promise<number> {
    const target = pending.length > 0 ? batchesTaken + 1 : batchesTaken;
    while (!failure && batchesDone < target) {
      if (pending.length > 0) urgent = true;
      send();
      await inFlight;
    }
    if (failure) throw failure.error;
    return lastSeq;
  }

  function close(): Promise<number> {
    if (!closing) {
      for (const rest of halves.all()) addText(rest);
      closing = flush();
    }
    return closing;
  }

  return { write, flush, close };
}

function isDelta(event: RunEvent): event is Delta {
  return event.type === 'TextMessageDelta' || event.type === 'ReasoningDelta';
}
