import type { Clock } from '../../core/contracts/clock.ts';
import type { RunSignal, RunSignals } from '../../core/contracts/run-signals.ts';
import type { RedisConnections } from './connections.ts';
import { RedisKeys } from './keys.ts';
import { persevere } from './persevere.ts';
import { Presence } from './presence.ts';

export interface RedisRunSignalsOptions {
  readonly redis: RedisConnections;
  readonly clock: Clock;
  /** Unique, and new at every start. */
  readonly instance: string;
  readonly keyPrefix?: string;
  /** An instance that died is taken to follow its runs for so long. */
  readonly presenceMs?: number;
  readonly renewEveryMs?: number;
}

const known: ReadonlySet<RunSignal['type']> = new Set(['cancel', 'released', 'answered', 'key-changed']);
const askPatienceMs = 2_000;

/** By publish and subscribe, over one more connection: what is sent while it is away is lost. */
export function redisRunSignals(options: RedisRunSignalsOptions): RunSignals {
  const { redis, clock, instance, keyPrefix = 'sluice:', presenceMs = 10_000, renewEveryMs = 3_000 } = options;
  const connection = redis.commands;
  const keys = new RedisKeys(keyPrefix);
  const channel = keys.channel('run-signals');
  const presence = new Presence({ connection, keys, instance, presenceMs });
  const listeners = new Set<(signal: RunSignal) => void>();
  const closing = new AbortController();

  const { client: subscriber } = redis.open();
  const subscribe = () => void subscriber.subscribe(channel).catch(() => {});
  subscriber.on('ready', subscribe);
  subscriber.on('message', (_channel: string, text: string) => {
    const signal = signalOf(text, instance);
    if (signal !== null) for (const listener of listeners) listener(signal);
  });

  const renewal = setInterval(() => {
    void presence.renew();
    // An answer shows that the connection lives; without one it is given up, and made anew.
    if (subscriber.status === 'ready') subscriber.ping().catch(() => {});
  }, renewEveryMs).unref();

  return {
    send(signal) {
      connection.client.publish(channel, JSON.stringify({ from: instance, signal })).catch(() => {});
    },

    listen(listener) {
      // A function of its own: the same listener may listen twice.
      const own = (signal: RunSignal) => listener(signal);
      listeners.add(own);
      return { [Symbol.dispose]: () => void listeners.delete(own) };
    },

    follow: (key) => presence.follow(key),

    async isFollowedElsewhere(key) {
      const what = `asking who follows run ${key.runId}`;
      const perseverance = { connection, clock, what, patienceMs: askPatienceMs, signal: closing.signal };
      return await persevere(() => presence.isFollowedElsewhere(key), perseverance).catch(() => true);
    },

    async close() {
      clearInterval(renewal);
      listeners.clear();
      presence.close();
      closing.abort();
      subscriber.disconnect();
    },
  };
}

/** Null for what this instance sent itself, and for what no version of it would send. */
function signalOf(text: string, instance: string): RunSignal | null {
  try {
    const { from, signal } = JSON.parse(text) as { readonly from: string; readonly signal: RunSignal };
    if (from === instance) return null;
    return known.has(signal.type) ? signal : null;
  } catch {
    return null;
  }
}
