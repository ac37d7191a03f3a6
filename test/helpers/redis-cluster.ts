import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type RedisServer, startRedis } from './redis-server.ts';

export interface RedisCluster extends AsyncDisposable {
  readonly nodes: readonly RedisServer[];
  /** redis+cluster://127.0.0.1:port,127.0.0.1:port,127.0.0.1:port */
  readonly url: string;
}

/** Three nodes without replicas. */
export async function startRedisCluster(): Promise<RedisCluster> {
  await using opened = new AsyncDisposableStack();
  const nodes: RedisServer[] = [];
  for (let count = 0; count < 3; count += 1) nodes.push(opened.use(await startRedis({ cluster: true })));
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  await promisify(execFile)('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes']);
  for (const { client } of nodes) {
    for (let tries = 0; !String(await client.cluster('INFO')).includes('cluster_state:ok'); tries += 1) {
      if (tries > 400) throw new Error('the nodes do not agree on their cluster');
      await sleep(25);
    }
  }
  const close = opened.move();
  return {
    nodes,
    url: `redis+cluster://${addresses.join(',')}`,
    [Symbol.asyncDispose]: () => close.disposeAsync(),
  };
}
