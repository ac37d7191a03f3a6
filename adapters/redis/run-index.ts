import type { Page, Slice, Sliced } from '../../core/contracts/page.ts';
import type { RunFilter, RunRecord } from '../../core/contracts/run-store.ts';
import { compareKeys, keyOf, matches, parseKey } from '../../core/runs/run-list.ts';
import type { RedisConnection } from './connection.ts';
import type { RedisKeys } from './keys.ts';

/** Of a tenant; older ones are found by their id only. */
const maxListed = 10_000;
const batchSize = 200;

/** The ids of each tenant's runs by their time of creation. Runs that are gone are passed over, and taken out. */
export class RunIndex {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #keptMs: number;

  constructor(connection: RedisConnection, keys: RedisKeys, keptMs: number) {
    this.#connection = connection;
    this.#keys = keys;
    this.#keptMs = keptMs;
  }

  async add({ tenant, runId, createdAt }: RunRecord): Promise<void> {
    const { client } = this.#connection;
    const key = this.#keys.of('runs', tenant);
    await Promise.all([
      client.zadd(key, createdAt.getTime(), runId),
      client.zremrangebyrank(key, 0, -maxListed - 1),
      client.pexpire(key, this.#keptMs),
    ]);
  }

  /** Newest first, then by id, as PostgreSQL has them. */
  async list(
    tenant: string,
    filter: RunFilter,
    { first, after }: Page,
    load: (runIds: readonly string[]) => Promise<readonly RunRecord[]>,
  ): Promise<Slice<RunRecord>> {
    const cursor = after === null ? null : parseKey(after);
    // Keys count microseconds; within its millisecond the cursor itself decides.
    const newest = cursor === null ? '+inf' : Math.floor(Number(cursor[0]) / 1_000);
    const key = this.#keys.of('runs', tenant);
    const found: Sliced<RunRecord>[] = [];
    for (let offset = 0; found.length <= first; ) {
      const ids = await this.#connection.client.zrange(
        ...([key, newest, '-inf', 'BYSCORE', 'REV', 'LIMIT', offset, batchSize] as const),
      );
      const runs = new Map((await load(ids)).map((run) => [run.runId, run]));
      const gone = ids.filter((id) => !runs.has(id));
      if (gone.length > 0) await this.#connection.client.zrem(key, ...gone);
      for (const run of runs.values()) {
        const item = { item: run, key: keyOf(run) };
        if (matches(run, filter) && (cursor === null || compareKeys(item.key, cursor) > 0)) found.push(item);
      }
      if (ids.length < batchSize) break;
      offset += ids.length - gone.length;
    }
    found.sort((a, b) => compareKeys(parseKey(a.key), parseKey(b.key)));
    return { items: found.slice(0, first), hasNext: found.length > first };
  }
}
