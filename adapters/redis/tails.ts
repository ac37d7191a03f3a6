import type { Channel } from './channel.ts';
import { Tail, type TailOptions } from './tail.ts';

export interface TailsOptions extends Omit<TailOptions, 'control' | 'wanted'> {
  /** On a cluster one read reaches the streams of one shard; on a single server one read reaches all. */
  readonly perShard: boolean;
  readonly instance: string;
  readonly wanted: () => Iterable<Channel>;
}

/** One tail for all runs, or on a cluster one for each shard in use. */
export class Tails {
  readonly #options: TailsOptions;
  readonly #tails = new Map<number, Tail>();

  constructor(options: TailsOptions) {
    this.#options = options;
  }

  include(channel: Channel): void {
    const shard = this.#shardOf(channel);
    const tail = this.#tails.get(shard) ?? this.#open(shard);
    tail.include(channel);
  }

  stats(): { readonly reads: number; readonly readEvents: number } {
    const tails = [...this.#tails.values()];
    return {
      reads: tails.reduce((sum, tail) => sum + tail.reads, 0),
      readEvents: tails.reduce((sum, tail) => sum + tail.events, 0),
    };
  }

  close(): void {
    for (const tail of this.#tails.values()) tail.close();
  }

  #shardOf(channel: Channel): number {
    return this.#options.perShard ? channel.shard : 0;
  }

  #open(shard: number): Tail {
    const { keys, instance, wanted } = this.#options;
    const tail = new Tail({
      ...this.#options,
      control: keys.inShard(shard, 'tail', instance),
      wanted: () => [...wanted()].filter((channel) => this.#shardOf(channel) === shard),
    });
    this.#tails.set(shard, tail);
    return tail;
  }
}
