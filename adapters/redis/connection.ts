import { Cluster, Redis } from 'ioredis';
import type { Clock } from '../../core/contracts/clock.ts';
import type { Logger } from '../../core/contracts/logger.ts';
import { WakeUps } from '../../core/runs/wake-ups.ts';
import type { RedisAddress } from './address.ts';

export interface RedisConnectionOptions {
  readonly address: RedisAddress;
  readonly clock: Clock;
  /** Hears of each outage once, and of its end. */
  readonly logger: Logger | null;
  /** An answer that does not come for so long means that the connection is dead, whatever the network says. */
  readonly silenceMs: number;
}

/** Lua that Redis runs as one step. */
export interface Script {
  /** A name that ioredis has no command of. */
  readonly name: string;
  readonly lua: string;
}

const connectTimeoutMs = 3_000;
const reconnectAfterMs = (times: number): number =>
  Math.min(1_000, 50 * 2 ** Math.min(times, 5)) * (0.5 + Math.random());

/**
 * One connection, or one to each node of a cluster. It reconnects for as long as it is open. Commands never queue in it and are
 * never sent again by it: they fail at once while there is no connection, and whoever sent them knows whether they may be
 * sent twice.
 */
export class RedisConnection {
  readonly client: Redis | Cluster;
  readonly silenceMs: number;
  readonly #options: RedisConnectionOptions;
  readonly #news = new WakeUps();
  #readySince: number | null = null;
  #fault: string | null = 'not connected yet';
  #isOutageTold = false;
  #isClosed = false;

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
    this.silenceMs = options.silenceMs;
    this.client = createClient(options);
    this.client.on('ready', () => this.#ready());
    this.client.on('error', (error: Error) => this.#failed(error));
    this.client.on('close', () => this.#failed(null));
  }

  get isReady(): boolean {
    return this.client.status === 'ready';
  }

  /** For how long there has been no interruption, 0 while there is one. */
  get readyForMs(): number {
    return this.#readySince === null ? 0 : this.#options.clock.now() - this.#readySince;
  }

  /** What is wrong, null when nothing is. */
  get fault(): string | null {
    return this.isReady ? null : this.#fault;
  }

  /** Resolves when there is a connection, and after `timeoutMs` at the latest; rejects with the signal's reason. */
  async whenReady(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.isReady) return;
    const waiting = new AbortController();
    const until = AbortSignal.any([signal, waiting.signal]);
    const ready = this.#news.wait('ready', until);
    const time = this.#options.clock.sleep(timeoutMs, until);
    for (const wait of [ready, time]) wait.catch(() => {});
    try {
      await Promise.race([ready, time]);
    } finally {
      waiting.abort();
    }
  }

  /** The answer of the script. ioredis sends its text once a connection, and its hash from then on. */
  async run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const { client } = this;
    if (!Reflect.has(client, script.name)) client.defineCommand(script.name, { lua: script.lua });
    // defineCommand has put the method there, of which the types cannot know.
    const command = Reflect.get(client, script.name) as (...args: unknown[]) => Promise<unknown>;
    return await command.call(client, keys.length, ...keys, ...args);
  }

  close(): void {
    this.#isClosed = true;
    this.client.disconnect();
    this.#news.wakeAll();
  }

  #ready(): void {
    const { clock, logger, address } = this.#options;
    this.#readySince = clock.now();
    this.#fault = null;
    if (this.#isOutageTold) logger?.info({ redis: address.label }, 'Redis can be reached again');
    this.#isOutageTold = false;
    this.#news.wakeAll();
  }

  #failed(error: (Error & { readonly code?: string }) | null): void {
    const { logger, address } = this.#options;
    const wasReady = this.#readySince !== null;
    this.#readySince = null;
    // Where a name has several addresses, their common error has a code only.
    this.#fault = (error?.message || error?.code) ?? this.#fault ?? 'the connection was closed';
    if (this.#isOutageTold || this.#isClosed || (error === null && !wasReady)) return;
    this.#isOutageTold = true;
    logger?.warn({ redis: address.label, error }, 'Redis cannot be reached');
  }
}

function createClient({ address, silenceMs }: RedisConnectionOptions): Redis | Cluster {
  const common = {
    ...address.options,
    protocol: 2,
    connectTimeout: connectTimeoutMs,
    socketTimeout: silenceMs,
    // Rejects what was sent and not answered as soon as the connection closes.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
  } as const;
  const [node] = address.nodes;
  if (!address.cluster && node !== undefined) {
    return new Redis({ ...common, ...node, enableOfflineQueue: false, retryStrategy: reconnectAfterMs });
  }
  return new Cluster([...address.nodes], {
    enableOfflineQueue: false,
    clusterRetryStrategy: reconnectAfterMs,
    slotsRefreshTimeout: connectTimeoutMs,
    redisOptions: common,
    // Certificates are made out to names, which a look-up would replace by addresses.
    ...(address.options.tls ? { dnsLookup: (host, callback) => callback(null, host) } : {}),
  });
}
