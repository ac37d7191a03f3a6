import type { RunEvent } from './run-event.ts';

/** A run's identity: ids are chosen by clients and unique within their tenant. */
export interface RunKey {
  readonly tenant: string;
  readonly runId: string;
}

export interface LoggedEvent {
  /** 1, 2, 3 … without gaps. */
  readonly seq: number;
  /** Milliseconds since the epoch, when it was appended. */
  readonly at: number;
  readonly event: RunEvent;
}

/** What was asked for is no longer kept: everything up to and including `gapUntil` is gone. */
export interface LogGap {
  readonly gapUntil: number;
}

export interface LogPage {
  /** Set when events after the asked cursor were trimmed; `events` then begin at `gapUntil + 1`. */
  readonly gap: LogGap | null;
  readonly events: readonly LoggedEvent[];
  /** The newest seq of the log, 0 when it is empty or unknown. */
  readonly lastSeq: number;
}

export interface LogState {
  /** The newest seq, at least the floor. */
  readonly lastSeq: number;
  /** A terminal event is in the log. */
  readonly ended: boolean;
}

/**
 * One ordered log per run; the only channel for a run's events.
 *
 * - `fence` is the first thing that a later attempt does, before it writes: it refuses lower attempts from then on, and says
 *   where the log stands. Where the log knows of fewer events than `floor`, because it was lost, seqs go on after `floor`,
 *   and readers with an older cursor get a gap. It rejects with FencedError like `append`, but not for an ended log.
 * - `append` assigns gapless seqs in the order of calls, all or nothing, and returns the last. It rejects with
 *   FencedError when a higher `attempt` has appended before (a process that lost its run), or when the log has
 *   ended: nothing follows a terminal event; and with LogLostError when what this process has appended is gone, and with it
 *   the memory of who may append. `fence` with its `lastSeq` as the floor begins the log anew.
 * - `read` returns at most `limit` events after seq `after` (0: from the beginning), at once. An unknown run is an
 *   empty page.
 * - `follow` yields what `read` would, then waits for more, and ends by itself after the terminal event. It pulls:
 *   a slow reader costs only its own lag. It throws `signal.reason` when aborted, also in mid-wait. A run that has
 *   no log yet is waited for, and so is a log that cannot be reached. Any number of followers, each with its own position.
 * - An ended log is kept for the retention and then dropped; a log longer than the configured length drops its
 *   oldest events. Both show as a gap to a reader whose cursor is older. After the drop `read` says
 *   `{gap: null, events: [], lastSeq: 0}` and followers wait: only the run's status tells a dropped log from one that
 *   has not begun.
 */
export interface EventLog {
  fence(key: RunKey, attempt: number, floor: number): Promise<LogState>;
  append(key: RunKey, attempt: number, events: readonly RunEvent[]): Promise<number>;
  read(key: RunKey, after: number, limit: number): Promise<LogPage>;
  follow(key: RunKey, after: number, signal: AbortSignal): AsyncIterable<LoggedEvent | LogGap>;
  /** Drops the log at once, retention or not. Who follows it waits, as for any dropped log. */
  remove(key: RunKey): Promise<void>;
  close(): Promise<void>;
}

/** Appending to a log that a newer attempt, or its own end, has closed. The run must stop without another word. */
export class FencedError extends Error {
  constructor(key: RunKey, attempt: number) {
    super(`run ${key.runId}: attempt ${attempt} no longer owns the log`);
    this.name = 'FencedError';
  }
}

/** The log has lost what was appended, and any fence with it. Only who owns the run in the store may go on with it. */
export class LogLostError extends Error {
  /** The newest seq that was confirmed. */
  readonly lastSeq: number;

  constructor(key: RunKey, lastSeq: number) {
    super(`run ${key.runId}: its log is lost, which had come to ${lastSeq}`);
    this.name = 'LogLostError';
    this.lastSeq = lastSeq;
  }
}
