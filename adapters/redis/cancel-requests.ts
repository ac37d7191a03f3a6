import type { RunKey } from '../../core/contracts/event-log.ts';
import type { Heartbeat } from '../../core/contracts/run-store.ts';
import type { RedisConnection } from './connection.ts';
import { isUnderWay } from './run-hash.ts';
import { cancelScript } from './run-scripts.ts';

export interface CancelRequestsOptions {
  readonly connection: RedisConnection;
  readonly hashOf: (key: RunKey) => string;
  /** The hash of what is asked of an instance: reasons by run. */
  readonly cancelsOf: (instance: string) => string;
}

const keptMs = 60 * 60 * 1000;

/** Word that is left for the instance of a run, which hears of it with its next heartbeat. May be asked for twice. */
export class CancelRequests {
  readonly #options: CancelRequestsOptions;

  constructor(options: CancelRequestsOptions) {
    this.#options = options;
  }

  /** False when the run has ended or is unknown. The first reason stays. */
  async add(key: RunKey, reason: string): Promise<boolean> {
    const { connection, hashOf, cancelsOf } = this.#options;
    const answer = await connection.run(cancelScript, [hashOf(key)], [reason]);
    const [instance, first] = answer as string[]; // what the script returns
    if (instance === undefined || first === undefined) return false;
    await Promise.all([
      connection.client.hset(cancelsOf(instance), JSON.stringify([key.tenant, key.runId]), first),
      connection.client.pexpire(cancelsOf(instance), keptMs),
    ]);
    return true;
  }

  /** What is asked of the instance, and has not ended yet. */
  async of(instance: string): Promise<Heartbeat['cancels']> {
    const { connection, hashOf, cancelsOf } = this.#options;
    const asked = Object.entries(await connection.client.hgetall(cancelsOf(instance))).map(([id, reason]) => {
      const [tenant, runId] = JSON.parse(id) as [string, string]; // what `add` wrote
      return { id, reason, key: { tenant, runId } };
    });
    const statuses = await Promise.all(asked.map(({ key }) => connection.client.hget(hashOf(key), 'status')));
    const over = asked.filter((_, place) => !isUnderWay(statuses[place])).map(({ id }) => id);
    if (over.length > 0) await connection.client.hdel(cancelsOf(instance), ...over);
    return asked.filter(({ id }) => !over.includes(id)).map(({ key, reason }) => ({ key, reason }));
  }
}
