import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../core/contracts/clock.ts';
import { FencedError, type LoggedEvent, LogLostError, type RunKey } from '../../core/contracts/event-log.ts';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import { isTerminal, type RunEvent } from '../../core/contracts/run-event.ts';
import type { Channels } from './channels.ts';
import type { RedisConnection } from './connection.ts';
import { nameOf, type RedisKeys } from './keys.ts';
import { appendScript } from './log-scripts.ts';
import { persevere } from './persevere.ts';

export interface AppenderOptions {
  readonly connection: RedisConnection;
  readonly clock: Clock;
  readonly keys: RedisKeys;
  readonly channels: Channels;
  readonly signal: AbortSignal;
  readonly maxEventsPerRun: number;
  readonly retentionMs: number;
  readonly abandonedMs: number;
  readonly maxBufferedBytes: number;
  readonly maxOutageMs: number;
}

/** More than a process can have under way: what is pushed out has long been silent. */
const rememberedRuns = 100_000;

/**
 * Writes events. Each run has one batch on its way at most, and the next ones wait in their order; the batches of all runs
 * share one connection, and none waits there for another one's answer. While Redis is gone they wait here, within bounds.
 */
export class Appender {
  appends = 0;
  events = 0;
  readonly #options: AppenderOptions;
  readonly #writer = randomUUID();
  readonly #queues = new Map<string, Promise<number>>();
  /** The newest seqs that Redis has confirmed: by them a log that is lost is known, and goes on behind them. */
  readonly #confirmed: LRUCache<string, number>;
  #batches = 0;
  #waitingBytes = 0;

  constructor(options: AppenderOptions) {
    this.#options = options;
    this.#confirmed = new LRUCache({ max: rememberedRuns });
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  async append(key: RunKey, attempt: number, events: readonly RunEvent[]): Promise<number> {
    const { clock, channels, maxBufferedBytes, maxOutageMs } = this.#options;
    const until = clock.now() + maxOutageMs;
    const texts = events.map((event) => JSON.stringify(event));
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    if (this.#waitingBytes + bytes > maxBufferedBytes) throw bufferFull(maxBufferedBytes);
    this.#waitingBytes += bytes;
    const channel = channels.appending(key);
    let outcome: readonly LoggedEvent[] | 'failed' | 'fenced' = 'failed';
    try {
      return await this.#inTurn(channel.name, async () => {
        const { lastSeq, at } = await this.#send(key, attempt, texts, events, until - clock.now());
        outcome = events.map((event, index) => ({ seq: lastSeq - events.length + 1 + index, at, event }));
        this.appends += 1;
        this.events += events.length;
        return lastSeq;
      });
    } catch (error) {
      if (error instanceof FencedError) outcome = 'fenced';
      throw error;
    } finally {
      this.#waitingBytes -= bytes;
      channels.appended(channel, outcome);
    }
  }

  /** The log of this process's run stands at least here. */
  confirmed(name: string, lastSeq: number): void {
    this.#confirmed.set(name, lastSeq);
  }

  forget(name: string): void {
    this.#confirmed.delete(name);
  }

  async #inTurn(name: string, work: () => Promise<number>): Promise<number> {
    const before = this.#queues.get(name);
    // A batch that was lost takes those behind it with it: there must be no hole between what was written and what follows.
    const mine =
      before === undefined
        ? work()
        : before.then(work, (error: unknown) => {
            if (error instanceof FencedError || error instanceof LogLostError) return work();
            throw error;
          });
    this.#queues.set(name, mine);
    try {
      return await mine;
    } finally {
      if (this.#queues.get(name) === mine) this.#queues.delete(name);
    }
  }

  async #send(
    key: RunKey,
    attempt: number,
    texts: readonly string[],
    events: readonly RunEvent[],
    patienceMs: number,
  ): Promise<{ readonly lastSeq: number; readonly at: number }> {
    const { connection, clock, keys, signal, maxEventsPerRun, retentionMs, abandonedMs } = this.#options;
    const name = nameOf(key);
    const last = events.at(-1);
    const ends = last !== undefined && isTerminal(last);
    const floor = this.#confirmed.get(name) ?? 0;
    const head = [
      attempt,
      this.#writer,
      ++this.#batches,
      floor,
      maxEventsPerRun,
      abandonedMs,
      retentionMs,
      Number(ends),
    ];
    const answer = await persevere(
      () => connection.run(appendScript, [keys.of('log', name), keys.of('meta', name)], [...head, ...texts]),
      { connection, clock, what: `appending to the log of run ${key.runId}`, patienceMs, signal },
    );
    const [isWritten, lastSeq = 0, at = 0] = answer as number[]; // what the script returns
    if (isWritten === 2) throw new LogLostError(key, floor);
    if (isWritten !== 1 || ends) this.#confirmed.delete(name);
    else this.#confirmed.set(name, lastSeq);
    if (isWritten !== 1) throw new FencedError(key, attempt);
    return { lastSeq, at };
  }
}

const bufferFull = (limit: number): GatewayError =>
  new GatewayError(
    'UPSTREAM_UNAVAILABLE',
    `Redis takes events slower than they come: ${limit} bytes of them wait already (log.maxBufferedBytes).`,
    { retryable: true, details: { limit } },
  );
