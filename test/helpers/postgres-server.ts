import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from './free-port.ts';
import { type GuardedProcess, spawnGuarded, unprivilegedUser } from './guarded-process.ts';

/** A throw-away PostgreSQL with pgvector. Its data and its address stay the same when it is stopped and started. */
export interface PostgresServer extends AsyncDisposable {
  /** The superuser's, of the database `postgres`. */
  readonly url: string;
  readonly port: number;
  /** Of the first process. It is another one after each start. */
  pid(): number;
  start(): Promise<void>;
  /** `fast` ends every session and writes all that is in memory; `immediate` is a crash, which the next start recovers from. */
  stop(how?: 'fast' | 'immediate'): Promise<void>;
}

const stopSignals = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const;
const startTimeoutMs = 60_000;

/** Not durable against a power cut, but against everything that ends processes. */
const settings = {
  fsync: 'off',
  full_page_writes: 'off',
  listen_addresses: '127.0.0.1',
  shared_preload_libraries: '',
  max_connections: '200',
};

/** The directory of PostgreSQL's programs, where pgvector is installed too; or the reason why there is none. */
export function findPostgres(): { readonly programs: string } | { readonly missing: string } {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const found = versions
    .map((version) => join(debian, version, 'bin'))
    .filter((bin) => existsSync(join(bin, 'initdb')));
  const onPath = ask('pg_config', '--bindir');
  const candidates = [...found, ...(onPath !== null && existsSync(join(onPath, 'initdb')) ? [onPath] : [])];
  if (candidates.length === 0) return { missing: 'PostgreSQL is not installed' };
  const programs = candidates.find((bin) => {
    const share = ask(join(bin, 'pg_config'), '--sharedir');
    return share !== null && existsSync(join(share, 'extension', 'vector.control'));
  });
  return programs === undefined ? { missing: 'PostgreSQL has no pgvector (see .ci/install-pgvector)' } : { programs };
}

/** Makes a cluster of its own in a temporary directory and starts it; disposing stops it and removes everything. */
export async function startPostgresServer(
  options: { readonly settings?: Readonly<Record<string, string>> } = {},
): Promise<PostgresServer> {
  const postgres = findPostgres();
  if ('missing' in postgres) throw new Error(postgres.missing);
  const { programs } = postgres;
  const user = unprivilegedUser();
  const directory = await mkdtemp(join(tmpdir(), 'sluice-postgres-'));
  if (user) await chown(directory, user.uid, user.gid);
  const data = join(directory, 'data');
  // The order of a natural language, unlike PGlite's: nothing may depend on the order of bytes.
  const locale = ['--locale=C.UTF-8', '--locale-provider=icu', '--icu-locale=en-US'];
  const parameters = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync', ...locale];
  await promisify(execFile)(join(programs, 'initdb'), parameters, { cwd: directory, ...user });

  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const all = { ...settings, port: String(port), unix_socket_directories: directory, ...options.settings };
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  let server: GuardedProcess | null = null;
  const start = async () => {
    server = await spawnGuarded(join(programs, 'postgres'), ['-D', data, ...flags], {
      directory,
      ...(user && { user }),
    });
    await untilItAnswers(url, server);
  };
  const stop = async (how: 'fast' | 'immediate' = 'fast') => {
    server?.signal(stopSignals[how]);
    await server?.exited;
    server = null;
  };
  const dispose = async () => {
    await stop('immediate');
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    url,
    port,
    pid: () => server?.pid ?? 0,
    start,
    stop,
    [Symbol.asyncDispose]: dispose,
  };
}

async function untilItAnswers(url: string, server: GuardedProcess): Promise<void> {
  let ended = false;
  void server.exited.then(() => {
    ended = true;
  });
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const client = new pg.Client(url);
    client.on('error', () => {});
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (ended || Date.now() > deadline)
        throw new Error(`PostgreSQL did not start:\n${await server.log()}`, { cause: error });
    }
    await pause(20);
  }
}

function ask(program: string, flag: string): string | null {
  try {
    return execFileSync(program, [flag], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return null;
  }
}
