import { existsSync } from 'node:fs';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from './free-port.ts';
import { spawnGuarded, unprivilegedUser } from './guarded-process.ts';

const program = '/usr/sbin/pgbouncer';

/** Where it is missing its tests are skipped, but in CI. */
export const isPoolerMissing = process.env['CI'] === undefined && !existsSync(program);

/**
 * PgBouncer in transaction mode in front of a server: each transaction, and each lone statement, gets any of `sessions`
 * sessions. It refuses every startup parameter that it does not know.
 */
export async function startPooler(
  serverUrl: string,
  { sessions }: { readonly sessions: number },
): Promise<AsyncDisposable & { readonly url: string }> {
  const user = unprivilegedUser();
  const directory = await mkdtemp(join(tmpdir(), 'sluice-pooler-'));
  const server = new URL(serverUrl);
  const url = new URL(serverUrl);
  url.host = `127.0.0.1:${await freePort()}`;
  const password = server.password && ` password=${decodeURIComponent(server.password)}`;
  const configuration = `
[databases]
* = host=${server.hostname} port=${server.port || 5432} user=${decodeURIComponent(server.username)}${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${url.port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${sessions}
max_client_conn = 500
`;
  await writeFile(join(directory, 'pgbouncer.ini'), configuration);
  if (user) await chown(directory, user.uid, user.gid);
  const pooler = await spawnGuarded(program, ['pgbouncer.ini'], { directory, ...(user && { user }) });
  const dispose = async () => {
    pooler.signal('SIGTERM');
    await pooler.exited;
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await untilItAnswers(url.href);
  } catch (error) {
    const log = await pooler.log();
    await dispose();
    throw new Error(`PgBouncer did not start:\n${log}`, { cause: error });
  }
  return { url: url.href, [Symbol.asyncDispose]: dispose };
}

async function untilItAnswers(url: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const client = new pg.Client(url);
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await pause(20);
  }
}
