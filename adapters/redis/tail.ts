import type { Clock } from '../../core/contracts/clock.ts';
import type { LoggedEvent } from '../../core/contracts/event-log.ts';
import type { Channel } from './channel.ts';
import type { RedisConnection } from './connection.ts';
import type { RedisKeys } from './keys.ts';
import { decode, type StreamEntry } from './log-pages.ts';

export interface TailOptions {
  /** A connection of its own, which the tail blocks and closes. */
  readonly open: () => RedisConnection;
  /** Where the tail is told of new streams while its own connection blocks. */
  readonly commands: RedisConnection;
  readonly clock: Clock;
  readonly keys: RedisKeys;
  /** The stream that wakes this tail alone. */
  readonly control: string;
  /** The channels to listen for, now. */
  readonly wanted: () => readonly Channel[];
  readonly deliver: (channel: Channel, events: readonly LoggedEvent[]) => void;
}

/** How long one read blocks: a wake-up that is lost with a connection costs this at the most. */
export const blockMs = 5_000;
const maxEventsPerStream = 200;
const controlKeptMs = 60_000;
/** With many streams there is always something: a moment's wait makes fewer reads of more events. */
const pauseMs = (streams: number): number => Math.min(10, Math.floor(streams / 50));

/** Listens to any number of streams over one blocking connection, which is there once there is something to listen to. */
export class Tail {
  reads = 0;
  events = 0;
  readonly #options: TailOptions;
  readonly #closing = new AbortController();
  #connection: RedisConnection | undefined;
  #running: Promise<void> | undefined;
  /** What the read under way covers: from which seq on. Null while there is none. */
  #reading: ReadonlyMap<Channel, number> | null = null;
  #isWaking = false;
  /** 0-0 is before whatever the control stream holds: a read that begins after a wake-up was sent returns at once. */
  #controlId = '0-0';

  constructor(options: TailOptions) {
    this.#options = options;
  }

  /** The channel is wanted: a read that does not cover it begins anew. */
  include(channel: Channel): void {
    if (this.#closing.signal.aborted) return;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    const from = this.#reading?.get(channel);
    if (this.#reading === null || (from !== undefined && from <= channel.newest)) return;
    this.#wake();
  }

  close(): void {
    this.#closing.abort();
    this.#connection?.close();
  }

  /** Until nothing is wanted; the connection stays for the next time. */
  async #run(): Promise<void> {
    const { clock, open } = this.#options;
    const { signal } = this.#closing;
    this.#connection ??= open();
    let failures = 0;
    // The first channel asks for the tail before its own news is complete.
    await Promise.resolve();
    for (let wanted = this.#options.wanted(); wanted.length > 0; wanted = this.#options.wanted()) {
      try {
        await this.#connection.whenReady(blockMs, signal);
        await this.#read(this.#connection, this.#options.wanted());
        failures = 0;
        if (pauseMs(wanted.length) > 0) await clock.sleep(pauseMs(wanted.length), signal);
      } catch {
        if (signal.aborted) return;
        // Another server may count from another time.
        this.#controlId = '0-0';
        failures += 1;
        if (failures > 1) await clock.sleep(Math.min(1_000, 50 * 2 ** failures), signal).catch(() => {});
        if (signal.aborted) return;
      }
    }
  }

  async #read(connection: RedisConnection, wanted: readonly Channel[]): Promise<void> {
    const { keys, control } = this.#options;
    const streams = new Map(wanted.map((channel) => [keys.inShard(channel.shard, 'log', channel.name), channel]));
    const ids = wanted.map((channel) => `${channel.newest}-0`);
    this.#reading = new Map(wanted.map((channel) => [channel, channel.newest]));
    try {
      const answer = (await connection.client.xread(
        ...(['COUNT', maxEventsPerStream, 'BLOCK', blockMs, 'STREAMS'] as const),
        ...[control, ...streams.keys(), this.#controlId, ...ids],
      )) as [key: string, entries: StreamEntry[]][] | null;
      this.reads += 1;
      for (const [key, entries] of answer ?? []) {
        const channel = streams.get(key);
        if (channel !== undefined) this.#deliver(channel, entries.map(decode));
        else if (key === control) this.#controlId = entries.at(-1)?.[0] ?? this.#controlId;
      }
    } finally {
      this.#reading = null;
      this.#isWaking = false;
    }
  }

  #deliver(channel: Channel, events: readonly LoggedEvent[]): void {
    this.events += events.length;
    this.#options.deliver(channel, events);
  }

  /** One wake-up for all that came in the same read. One that is lost is made up for when the read ends by itself. */
  #wake(): void {
    if (this.#isWaking) return;
    this.#isWaking = true;
    const { commands, control } = this.#options;
    const sent = [
      commands.client.xadd(control, 'MAXLEN', 1, '*', 'w', '1'),
      commands.client.pexpire(control, controlKeptMs),
    ];
    Promise.all(sent).catch(() => {
      this.#isWaking = false;
    });
  }
}
