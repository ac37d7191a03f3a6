import type { Clock } from '../../core/contracts/clock.ts';
import {
  type EventLog,
  FencedError,
  type LogGap,
  type LoggedEvent,
  type LogPage,
  type LogState,
  type RunKey,
} from '../../core/contracts/event-log.ts';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import { isTerminal, type RunEvent } from '../../core/contracts/run-event.ts';
import { RunLog } from '../../core/runs/run-log.ts';
import { WakeUps } from '../../core/runs/wake-ups.ts';

export interface MemoryEventLogOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** How long an ended log is kept. */
  readonly retentionMs: number;
  /** A longer log drops its oldest events. */
  readonly maxEventsPerRun: number;
  /**
   * All logs together, estimated. Above it ended logs go first, oldest end first and before their retention is over; then
   * the events of the open log that has been silent longest, which show as a gap. Seqs and fences of open logs stay.
   */
  readonly maxTotalBytes?: number;
  /** An open log with no event for so long has lost its producer, and is dropped. */
  readonly abandonedMs?: number;
}

/** The logs of one process: lost with it, and shared with no other. */
export interface MemoryEventLog extends EventLog {
  /** What is held now, for metrics. `waitedFor`: runs on which at least one follower waits. */
  stats(): { readonly logs: number; readonly bytes: number; readonly waitedFor: number };
}

/** The in-process twin of the Redis log. An append is O(its events), a read O(limit), a follower one position. */
export function memoryEventLog(options: MemoryEventLogOptions): MemoryEventLog {
  const { clock, retentionMs, maxEventsPerRun } = options;
  const { maxTotalBytes = 256 * 1024 * 1024, abandonedMs = 24 * 60 * 60 * 1000 } = options;
  // Both in order of time, oldest first: `open` by its newest event, `ended` by its end. Expiry looks at the fronts only.
  const open = new Map<string, RunLog>();
  const ended = new Map<string, RunLog>();
  const wakeUps = new WakeUps();
  let totalBytes = 0;
  let closed = false;
  /** Nothing can be past its time before: what is touched later ends later. */
  let nothingExpiresBefore = 0;
  let sweep: NodeJS.Timeout | undefined;

  function find(id: string): RunLog | undefined {
    expire();
    return open.get(id) ?? ended.get(id);
  }

  function drop(logs: Map<string, RunLog>, id: string, log: RunLog): void {
    logs.delete(id);
    totalBytes -= log.bytes;
  }

  function expire(): void {
    const now = clock.now();
    if (now < nothingExpiresBefore) return;
    nothingExpiresBefore = Math.min(expireIn(ended, retentionMs, now), expireIn(open, abandonedMs, now));
  }

  /** When the next one of them will be past its time. */
  function expireIn(logs: Map<string, RunLog>, keptForMs: number, now: number): number {
    for (const [id, log] of logs) {
      if (log.touchedAt > now - keptForMs) return log.touchedAt + keptForMs;
      drop(logs, id, log);
    }
    return now + keptForMs;
  }

  /** Frees memory on an idle instance, where no call would. */
  function sweepLater(): void {
    const everyMs = Math.min(60_000, Math.max(1_000, retentionMs / 4));
    sweep ??= setTimeout(() => {
      sweep = undefined;
      expire();
      if (open.size + ended.size > 0) sweepLater();
    }, everyMs).unref();
  }

  function shrink(): void {
    if (totalBytes <= maxTotalBytes) return;
    for (const [id, log] of ended) {
      if (totalBytes <= maxTotalBytes) return;
      drop(ended, id, log);
    }
    for (const log of open.values()) {
      while (totalBytes > maxTotalBytes && log.size > 0) dropOldest(log);
      if (totalBytes <= maxTotalBytes) return;
    }
  }

  function dropOldest(log: RunLog): void {
    totalBytes -= log.bytes;
    log.dropOldest();
    totalBytes += log.bytes;
  }

  function ensureOpen(): void {
    if (closed) throw new GatewayError('CANCELLED', 'the event log is closed', { retryable: true });
  }

  async function fence(key: RunKey, attempt: number, floor: number): Promise<LogState> {
    ensureOpen();
    const id = idOf(key);
    const known = find(id);
    if (known && attempt < known.attempt) throw new FencedError(key, attempt);
    if (known?.ended) return { lastSeq: known.lastSeq, ended: true };
    const log = known ?? new RunLog();
    if (known) totalBytes -= known.bytes;
    log.attempt = attempt;
    log.touchedAt = clock.now();
    log.raiseTo(floor);
    totalBytes += log.bytes;
    open.delete(id);
    open.set(id, log);
    sweepLater();
    wakeUps.wake(id);
    return { lastSeq: log.lastSeq, ended: false };
  }

  // Async, so that a refusal is a rejection; there is no await inside, so that calls take effect in their order.
  async function append(key: RunKey, attempt: number, events: readonly RunEvent[]): Promise<number> {
    ensureOpen();
    const id = idOf(key);
    const known = find(id);
    if (known && (known.ended || attempt < known.attempt)) throw new FencedError(key, attempt);
    const terminal = events.findIndex(isTerminal);
    if (terminal !== -1 && terminal < events.length - 1) throw new FencedError(key, attempt);
    if (events.length === 0) return known?.lastSeq ?? 0;

    const log = known ?? new RunLog();
    const at = clock.now();
    if (known) totalBytes -= known.bytes;
    log.attempt = attempt;
    for (const event of events) {
      log.append(event, at);
      if (log.size > maxEventsPerRun) log.dropOldest();
    }
    totalBytes += log.bytes;
    open.delete(id);
    (log.ended ? ended : open).set(id, log);
    shrink();
    sweepLater();
    wakeUps.wake(id);
    return log.lastSeq;
  }

  async function read(key: RunKey, after: number, limit: number): Promise<LogPage> {
    ensureOpen();
    return find(idOf(key))?.page(after, limit) ?? { gap: null, events: [], lastSeq: 0 };
  }

  async function* follow(key: RunKey, after: number, signal: AbortSignal): AsyncGenerator<LoggedEvent | LogGap> {
    const id = idOf(key);
    let position = after;
    for (;;) {
      signal.throwIfAborted();
      ensureOpen();
      // Looked up anew each time: while this follower was away the log may have been trimmed, dropped or begun.
      const log = find(id);
      const next = log?.next(position);
      if (next !== undefined) {
        position = 'gapUntil' in next ? next.gapUntil : next.seq;
        yield next;
      } else if (log?.ended) {
        return;
      } else {
        // Nothing is awaited between the look and the wait, so no event can fall in between.
        await wakeUps.wait(id, signal);
      }
    }
  }

  async function remove(key: RunKey): Promise<void> {
    const id = idOf(key);
    for (const logs of [open, ended]) {
      const log = logs.get(id);
      if (log !== undefined) drop(logs, id, log);
    }
  }

  async function close(): Promise<void> {
    closed = true;
    clearTimeout(sweep);
    open.clear();
    ended.clear();
    totalBytes = 0;
    wakeUps.wakeAll();
  }

  const stats = () => ({ logs: open.size + ended.size, bytes: totalBytes, waitedFor: wakeUps.size });
  return { fence, append, read, follow, remove, close, stats };
}

/** The length keeps ("a:b", "c") and ("a", "b:c") apart. */
function idOf({ tenant, runId }: RunKey): string {
  return `${tenant.length}:${tenant}:${runId}`;
}
