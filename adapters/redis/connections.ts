import type { Clock } from '../../core/contracts/clock.ts';
import type { Logger } from '../../core/contracts/logger.ts';
import { parseAddress, type RedisAddress } from './address.ts';
import { RedisConnection } from './connection.ts';

export interface RedisConnectionsOptions {
  /** See `parseAddress`. */
  readonly url: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A connection whose answer does not come for so long is dead. */
  readonly silenceMs?: number;
}

/** One connection for all commands, and more for what blocks or listens. */
export class RedisConnections {
  readonly commands: RedisConnection;
  readonly #address: RedisAddress;
  readonly #clock: Clock;
  readonly #more = new Set<RedisConnection>();

  constructor({ url, clock, logger, silenceMs = 4_000 }: RedisConnectionsOptions) {
    this.#address = parseAddress(url);
    this.#clock = clock;
    this.commands = new RedisConnection({ address: this.#address, clock, logger, silenceMs });
  }

  get isCluster(): boolean {
    return this.#address.cluster;
  }

  open({ silenceMs = this.commands.silenceMs }: { readonly silenceMs?: number } = {}): RedisConnection {
    // The first connection tells of outages for all of them.
    const connection = new RedisConnection({ address: this.#address, clock: this.#clock, logger: null, silenceMs });
    this.#more.add(connection);
    return connection;
  }

  /** From what is known already: it never waits. */
  health(): { readonly ok: boolean; readonly detail: string | null } {
    const { fault } = this.commands;
    return { ok: fault === null, detail: fault === null ? null : `${this.#address.label}: ${fault}` };
  }

  close(): void {
    for (const connection of [this.commands, ...this.#more]) connection.close();
  }
}
