import { randomUUID } from 'node:crypto';
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
import { untilAborted } from '../../core/models/calls/abortable.ts';
import { Appender } from './appender.ts';
import type { Channel } from './channel.ts';
import { Channels } from './channels.ts';
import type { RedisConnections } from './connections.ts';
import { nameOf, RedisKeys } from './keys.ts';
import { readPage, type StoredPage } from './log-pages.ts';
import { fenceScript } from './log-scripts.ts';
import { persevere } from './persevere.ts';
import { blockMs } from './tail.ts';
import { Tails } from './tails.ts';

export interface RedisEventLogOptions {
  readonly redis: RedisConnections;
  readonly clock: Clock;
  /** How long an ended log is kept. */
  readonly retentionMs: number;
  /** A longer log drops its oldest events, some hundred at a time. */
  readonly maxEventsPerRun: number;
  /** Events that wait for Redis, all runs together; above it appends are refused. */
  readonly maxBufferedBytes?: number;
  /** How long an append waits for Redis. */
  readonly maxOutageMs?: number;
  /** An open log with no event for so long has lost its producer, and is dropped. */
  readonly abandonedMs?: number;
  readonly keyPrefix?: string;
}

export interface RedisEventLogStats {
  readonly appends: number;
  readonly appendedEvents: number;
  readonly waitingBytes: number;
  /** Answers of the blocking reads, and the events in them. */
  readonly reads: number;
  readonly readEvents: number;
  /** Pages that were read for followers that were behind. */
  readonly pages: number;
  /** Runs that are followed or written here, and the bytes of their newest events. */
  readonly channels: number;
  readonly bytes: number;
}

/** The logs of all instances of one Redis. */
export interface RedisEventLog extends EventLog {
  stats(): RedisEventLogStats;
}

/** A reader waits no longer for a page; a follower waits for as long as it takes. */
const readPatienceMs = 2_000;
const pageSize = 256;
const windowEvents = 2_000;
const windowBytes = 1024 * 1024;
const allWindowsBytes = 64 * 1024 * 1024;

/** The twin of the memory log that many instances share: a Redis Stream for each run. */
export function redisEventLog(options: RedisEventLogOptions): RedisEventLog {
  const { redis, clock, retentionMs, maxEventsPerRun } = options;
  const { maxBufferedBytes = 64 * 1024 * 1024, maxOutageMs = 60_000, keyPrefix = 'sluice:' } = options;
  const { abandonedMs = 24 * 60 * 60 * 1000 } = options;
  const connection = redis.commands;
  const keys = new RedisKeys(keyPrefix);
  const closing = new AbortController();
  let pages = 0;
  const channels = new Channels({
    clock,
    // A window must not show what the log would not.
    window: { maxEvents: Math.min(windowEvents, maxEventsPerRun), maxBytes: windowBytes },
    maxTotalBytes: allWindowsBytes,
    onTail: (channel) => tails.include(channel),
  });
  const tails = new Tails({
    perShard: redis.isCluster,
    instance: randomUUID(),
    wanted: () => channels.tailed(),
    open: () => redis.open({ silenceMs: blockMs + connection.silenceMs }),
    deliver: (channel, events) => channels.take(channel, events),
    ...{ commands: connection, clock, keys },
  });
  const appender = new Appender({
    ...{ connection, clock, keys, channels, maxEventsPerRun, retentionMs, abandonedMs, maxBufferedBytes, maxOutageMs },
    signal: closing.signal,
  });

  async function append(key: RunKey, attempt: number, events: readonly RunEvent[]): Promise<number> {
    closing.signal.throwIfAborted();
    const terminal = events.findIndex(isTerminal);
    if (terminal !== -1 && terminal < events.length - 1) throw new FencedError(key, attempt);
    return await appender.append(key, attempt, events);
  }

  async function fence(key: RunKey, attempt: number, floor: number): Promise<LogState> {
    closing.signal.throwIfAborted();
    const name = nameOf(key);
    const answer = await persevere(
      () => connection.run(fenceScript, [keys.of('log', name), keys.of('meta', name)], [attempt, floor, abandonedMs]),
      {
        connection,
        clock,
        what: `taking the log of run ${key.runId}`,
        patienceMs: maxOutageMs,
        signal: closing.signal,
      },
    );
    const [isTaken, lastSeq = 0, ended = 0] = answer as number[]; // what the script returns
    if (isTaken !== 1) throw new FencedError(key, attempt);
    if (ended !== 1) {
      appender.confirmed(name, lastSeq);
      channels.raised(key, lastSeq);
    }
    return { lastSeq, ended: ended === 1 };
  }

  async function read(key: RunKey, after: number, limit: number): Promise<LogPage> {
    closing.signal.throwIfAborted();
    const { gap, events, lastSeq } = await stored(key, after, limit, readPatienceMs, closing.signal);
    return { gap, events, lastSeq };
  }

  function stored(key: RunKey, after: number, limit: number, patienceMs: number, signal: AbortSignal) {
    const what = `reading the log of run ${key.runId}`;
    const command = () => readPage(connection, keys, nameOf(key), after, limit);
    return persevere(command, { connection, clock, what, patienceMs, signal });
  }

  async function* follow(key: RunKey, after: number, signal: AbortSignal): AsyncGenerator<LoggedEvent | LogGap> {
    signal.throwIfAborted();
    closing.signal.throwIfAborted();
    using joined = channels.join(key);
    const { channel } = joined;
    let position = after;
    for (;;) {
      signal.throwIfAborted();
      closing.signal.throwIfAborted();
      const step = channel.next(position);
      if (step.type === 'end') return;
      if (step.type === 'event') {
        position = step.logged.seq;
        yield step.logged;
      } else if (step.type === 'wait') {
        // Nothing is awaited between the look and the wait, so no event can fall in between.
        await channels.wait(channel, signal);
      } else {
        const page = await untilAborted(pageFor(channel, position), signal);
        for (const entry of page.gap === null ? page.events : [page.gap, ...page.events]) {
          signal.throwIfAborted();
          position = 'gapUntil' in entry ? entry.gapUntil : entry.seq;
          yield entry;
        }
      }
    }
  }

  /** For all followers at this position. It waits for Redis as long as one of them does. */
  function pageFor(channel: Channel, after: number): Promise<StoredPage> {
    return channels.page(channel, after, () => {
      pages += 1;
      return stored(channel.key, after, pageSize, Number.POSITIVE_INFINITY, closing.signal);
    });
  }

  async function remove(key: RunKey): Promise<void> {
    closing.signal.throwIfAborted();
    const name = nameOf(key);
    await persevere(() => connection.client.unlink(keys.of('log', name), keys.of('meta', name)), {
      ...{ connection, clock, patienceMs: readPatienceMs, signal: closing.signal },
      what: `removing the log of run ${key.runId}`,
    });
    appender.forget(name);
    channels.removed(key);
  }

  async function close(): Promise<void> {
    closing.abort(new GatewayError('CANCELLED', 'the event log is closed', { retryable: true }));
    channels.close();
    tails.close();
  }

  const stats = () => ({
    appends: appender.appends,
    appendedEvents: appender.events,
    waitingBytes: appender.waitingBytes,
    ...tails.stats(),
    pages,
    channels: channels.size,
    bytes: channels.bytes,
  });
  return { fence, append, read, follow, remove, close, stats };
}
