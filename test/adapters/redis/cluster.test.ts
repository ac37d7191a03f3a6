import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type RedisCluster, startRedisCluster } from '../../helpers/redis-cluster.ts';
import { hasRedisCli } from '../../helpers/redis-server.ts';
import { collect, delta, finished, newKey, numbers, openLog } from './setup.ts';

const patience = { timeout: 20_000, interval: 20 };

describe.skipIf(!hasRedisCli)('redis event log on a cluster of three nodes', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  test('20 runs are written at one instance and followed at two', async () => {
    const [writer, reader] = [openLog(cluster.url), openLog(cluster.url)];
    const keys = numbers(1, 20).map(() => newKey());
    const seen = keys.flatMap((key) => [collect(writer, key), collect(reader, key)]);
    await vi.waitFor(() => expect(reader.stats().pages).toBe(20), patience);
    await Promise.all(
      keys.map(async (key) => {
        for (const n of numbers(1, 50)) await writer.append(key, 1, [delta(2 * n - 1), delta(2 * n)]);
        await writer.append(key, 1, [finished]);
      }),
    );
    for (const each of await Promise.all(seen)) expect(each).toEqual(numbers(1, 101));
    for (const key of keys)
      expect((await reader.read(key, 98, 10)).events.map(({ seq }) => seq)).toEqual([99, 100, 101]);
    // They are spread over the nodes.
    for (const { client } of cluster.nodes) expect(await client.dbsize()).toBeGreaterThan(0);
  });

  test('streams go on without a gap or a double after a node was away', async () => {
    const [writer, reader] = [openLog(cluster.url), openLog(cluster.url)];
    const keys = numbers(1, 20).map(() => newKey());
    const seen = keys.flatMap((key) => [collect(writer, key), collect(reader, key)]);
    let half = 0;
    const writing = keys.map(async (key) => {
      for (const n of numbers(1, 25)) await writer.append(key, 1, [delta(n)]);
      half += 1;
      for (const n of numbers(26, 400)) await writer.append(key, 1, [delta(n)]);
      await writer.append(key, 1, [finished]);
    });
    await vi.waitFor(() => expect(half).toBe(20), patience);
    const [node] = cluster.nodes;
    await node?.stop();
    await node?.start('kept');
    await Promise.all(writing);
    for (const each of await Promise.all(seen)) expect(each).toEqual(numbers(1, 401));
  });
});
