import type { RunKey } from '../../core/contracts/event-log.ts';
import type { RedisConnection, Script } from './connection.ts';
import { nameOf, type RedisKeys, shardOf } from './keys.ts';

export interface PresenceOptions {
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
  readonly instance: string;
  /** An instance that has not said so for so long follows nothing any more. */
  readonly presenceMs: number;
}

/* A sorted set for each run: instances that follow it, by the time of Redis until which that is taken to be so. */

const now = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** KEYS: runs. ARGV: instance, ms. */
const followScript: Script = {
  name: 'sluiceFollow',
  lua: `${now}
for _, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now))
  redis.call('ZADD', key, string.format('%.0f', now + ARGV[2]), ARGV[1])
  redis.call('PEXPIRE', key, ARGV[2])
end
`,
};

/** KEYS: a run. ARGV: instance. Gives 1 when another one follows it. */
const followedScript: Script = {
  name: 'sluiceFollowed',
  lua: `${now}
for _, instance in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], string.format('(%.0f', now), '+inf')) do
  if instance ~= ARGV[1] then return 1 end
end
return 0
`,
};

const keysPerCommand = 200;

/** Which runs this instance follows, as the others see it. */
export class Presence {
  readonly #options: PresenceOptions;
  /** How often each run is followed here. */
  readonly #followed = new Map<string, number>();

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  follow(key: RunKey): Disposable {
    const name = nameOf(key);
    const before = this.#followed.get(name) ?? 0;
    this.#followed.set(name, before + 1);
    if (before === 0) void this.#say([name]);
    let isOver = false;
    const leave = () => {
      if (isOver) return;
      isOver = true;
      const left = (this.#followed.get(name) ?? 1) - 1;
      if (left > 0) this.#followed.set(name, left);
      else this.#leave(name);
    };
    return { [Symbol.dispose]: leave };
  }

  /** Says all of it again: a few commands, sent together. */
  async renew(): Promise<void> {
    const byShard = Map.groupBy(this.#followed.keys(), shardOf);
    const chunks = [...byShard.values()].flatMap((names) =>
      Array.from({ length: Math.ceil(names.length / keysPerCommand) }, (_, n) =>
        names.slice(n * keysPerCommand, (n + 1) * keysPerCommand),
      ),
    );
    await Promise.all(chunks.map((names) => this.#say(names)));
  }

  async isFollowedElsewhere(key: RunKey): Promise<boolean> {
    const { connection, instance } = this.#options;
    return (await connection.run(followedScript, [this.#keyOf(nameOf(key))], [instance])) === 1;
  }

  close(): void {
    for (const name of [...this.#followed.keys()]) this.#leave(name);
  }

  /** What cannot be said now is said with the next renewal. */
  async #say(names: readonly string[]): Promise<void> {
    const { connection, instance, presenceMs } = this.#options;
    const keys = names.map((name) => this.#keyOf(name));
    await connection.run(followScript, keys, [instance, presenceMs]).catch(() => {});
  }

  /** Where that cannot be said, it is known a few seconds later. */
  #leave(name: string): void {
    const { connection, instance } = this.#options;
    this.#followed.delete(name);
    connection.client.zrem(this.#keyOf(name), instance).catch(() => {});
  }

  #keyOf(name: string): string {
    return this.#options.keys.of('followers', name);
  }
}
