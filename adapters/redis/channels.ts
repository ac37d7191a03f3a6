import type { Clock } from '../../core/contracts/clock.ts';
import type { LoggedEvent, RunKey } from '../../core/contracts/event-log.ts';
import { WakeUps } from '../../core/runs/wake-ups.ts';
import { Channel, type WindowLimits } from './channel.ts';
import { nameOf } from './keys.ts';
import type { StoredPage } from './log-pages.ts';

export interface ChannelsOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly window: WindowLimits;
  /** All windows together; above it those that were silent longest are given up. */
  readonly maxTotalBytes: number;
  /** The channel needs the tail, or needs it from another place. */
  readonly onTail: (channel: Channel) => void;
}

const lookEveryMs = 1_000;
/** A run that is written here keeps its window for so long between two events, though nobody follows it. */
const unfollowedForMs = 30_000;

/** The runs that this process follows or writes. A follower that waits costs a promise, and no timer. */
export class Channels {
  readonly #options: ChannelsOptions;
  /** In order of their last events, the most silent first. */
  readonly #channels = new Map<string, Channel>();
  readonly #touchedAt = new WeakMap<Channel, number>();
  readonly #pages = new Map<string, Promise<StoredPage>>();
  readonly #wakeUps = new WakeUps();
  #totalBytes = 0;
  #look: NodeJS.Timeout | undefined;

  constructor(options: ChannelsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#channels.size;
  }

  get bytes(): number {
    return this.#totalBytes;
  }

  *tailed(): Generator<Channel> {
    const now = this.#options.clock.now();
    for (const channel of this.#channels.values()) if (channel.needsTail(now)) yield channel;
  }

  /** For a follower, until it is disposed. */
  join(key: RunKey): Disposable & { readonly channel: Channel } {
    const channel = this.#of(key);
    channel.followers += 1;
    this.#tailIfNeeded(channel);
    return { channel, [Symbol.dispose]: () => this.#leave(channel) };
  }

  wait(channel: Channel, signal: AbortSignal): Promise<void> {
    return this.#wakeUps.wait(channel.name, signal);
  }

  /** A page of Redis: one read for all that want the same one at the same time. What it says of the log is known then. */
  page(channel: Channel, after: number, read: () => Promise<StoredPage>): Promise<StoredPage> {
    const id = `${after}:${channel.name}`;
    const underWay = this.#pages.get(id);
    if (underWay !== undefined) return underWay;
    const newestBefore = channel.isKnown ? channel.newest : null;
    const page = read()
      .then((stored) => {
        this.#change(channel, () => channel.learn(stored, newestBefore));
        this.#tailIfNeeded(channel);
        return stored;
      })
      .finally(() => this.#pages.delete(id));
    this.#pages.set(id, page);
    return page;
  }

  /** This process has raised the log's newest seq, without events. */
  raised(key: RunKey, seq: number): void {
    const channel = this.#channels.get(nameOf(key));
    if (channel !== undefined) this.#change(channel, () => channel.raiseTo(seq));
  }

  removed(key: RunKey): void {
    const channel = this.#channels.get(nameOf(key));
    if (channel !== undefined) this.#change(channel, () => channel.forget());
  }

  /** An append of this process is on its way: from here on the run counts as written here. */
  appending(key: RunKey): Channel {
    const channel = this.#of(key);
    channel.appending += 1;
    return channel;
  }

  /** … and has ended: with these events in Redis, with none, or with the news that somebody else writes the log. */
  appended(channel: Channel, outcome: readonly LoggedEvent[] | 'failed' | 'fenced'): void {
    channel.appending -= 1;
    if (outcome === 'fenced') channel.disown();
    else if (outcome !== 'failed') {
      channel.own(this.#options.clock.now());
      this.take(channel, outcome);
    }
    if (channel.followers + channel.appending === 0 && (channel.ended || outcome === 'fenced')) this.#drop(channel);
    else this.#tailIfNeeded(channel);
  }

  /** Takes events from whoever was first, and wakes those that wait for them. */
  take(channel: Channel, events: readonly LoggedEvent[]): void {
    if (events.length === 0 || (events.at(-1)?.seq ?? 0) <= channel.newest) return;
    this.#change(channel, () => channel.take(events));
  }

  close(): void {
    clearInterval(this.#look);
    this.#wakeUps.wakeAll();
    this.#channels.clear();
    this.#totalBytes = 0;
  }

  #of(key: RunKey): Channel {
    const name = nameOf(key);
    const known = this.#channels.get(name);
    if (known !== undefined) return known;
    const channel = new Channel(key, this.#options.window);
    this.#totalBytes += channel.bytes;
    this.#touch(channel);
    this.#look ??= setInterval(() => this.#lookAround(), lookEveryMs).unref();
    return channel;
  }

  #change(channel: Channel, change: () => void): void {
    // One that was given up meanwhile is counted no more.
    const isHeld = this.#channels.get(channel.name) === channel;
    if (isHeld) this.#totalBytes -= channel.bytes;
    change();
    if (isHeld) {
      this.#totalBytes += channel.bytes;
      this.#touch(channel);
      this.#shrink();
    }
    this.#wakeUps.wake(channel.name);
  }

  #touch(channel: Channel): void {
    this.#channels.delete(channel.name);
    this.#channels.set(channel.name, channel);
    this.#touchedAt.set(channel, this.#options.clock.now());
  }

  #leave(channel: Channel): void {
    channel.followers -= 1;
    if (channel.followers > 0 || channel.appending > 0) return;
    if (channel.ended || !channel.isOwned(this.#options.clock.now())) this.#drop(channel);
  }

  #drop(channel: Channel): void {
    if (this.#channels.get(channel.name) !== channel) return;
    this.#channels.delete(channel.name);
    this.#totalBytes -= channel.bytes;
    if (this.#channels.size > 0) return;
    clearInterval(this.#look);
    this.#look = undefined;
  }

  /** A run written elsewhere from now on is found by its silence here: its followers go over to the tail. */
  #lookAround(): void {
    const now = this.#options.clock.now();
    for (const channel of this.#channels.values()) {
      this.#tailIfNeeded(channel);
      const isIdle = channel.followers === 0 && channel.appending === 0;
      if (isIdle && now - (this.#touchedAt.get(channel) ?? 0) > unfollowedForMs) this.#drop(channel);
    }
  }

  #tailIfNeeded(channel: Channel): void {
    if (channel.needsTail(this.#options.clock.now())) this.#options.onTail(channel);
  }

  #shrink(): void {
    for (const channel of this.#channels.values()) {
      if (this.#totalBytes <= this.#options.maxTotalBytes) return;
      this.#totalBytes -= channel.bytes;
      channel.forgetEvents();
      this.#totalBytes += channel.bytes;
    }
  }
}
