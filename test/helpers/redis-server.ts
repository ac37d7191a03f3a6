import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { endWithUs } from './end-with-us.ts';

/** Whether tests can have a Redis. Missing, they are skipped; on CI they run all the same, and so fail. */
export const hasRedis = isInstalled('redis-server') || Boolean(process.env['CI']);
/** `redis-cli` makes a cluster of servers. */
export const hasRedisCli = (hasRedis && isInstalled('redis-cli')) || Boolean(process.env['CI']);

export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  /** redis://127.0.0.1:port */
  readonly url: string;
  /** For the test itself, straight to the server. */
  readonly client: Redis;
  /** SIGTERM: it keeps its data. Resolves when it has gone. */
  stop(): Promise<void>;
  /** SIGKILL: what it had not written is lost. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay, and nobody answers; `resume` ends it. */
  suspend(): void;
  resume(): void;
  /** At the same port, with what it had at its stop, or with nothing. */
  start(data: 'kept' | 'lost'): Promise<void>;
}

/** A redis-server of its own on a free port, with an append-only file in a directory of its own. */
export async function startRedis(options: { readonly cluster?: boolean } = {}): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-redis-'));
  const port = await freeRedisPort();
  const url = `redis://127.0.0.1:${port}`;
  const client = new Redis({ port, lazyConnect: true, maxRetriesPerRequest: null, retryStrategy: () => 50 });
  // An outage is what a test is about; it needs no word on it.
  client.on('error', () => {});
  let child: ChildProcess | undefined;

  async function start(data: 'kept' | 'lost'): Promise<void> {
    if (data === 'lost') await rm(join(directory, 'appendonlydir'), { recursive: true, force: true });
    const started = endWithUs(
      spawn('redis-server', [
        ...['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', ''],
        ...['--appendonly', 'yes', '--appendfsync', 'no', '--daemonize', 'no'],
        ...(options.cluster ? ['--cluster-enabled', 'yes', '--cluster-node-timeout', '3000'] : []),
      ]),
    );
    child = started;
    let output = '';
    for (const stream of [started.stdout, started.stderr]) stream?.on('data', (chunk) => (output += chunk));
    started.on('error', (error) => (output += error.message));
    for (let tries = 0; !(await answers()); tries += 1) {
      if (tries > 400 || started.exitCode !== null) throw new Error(`redis-server does not answer: ${output}`);
      await sleep(25);
    }
  }

  async function answers(): Promise<boolean> {
    const probe = new Redis({ port, lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0 });
    probe.on('error', () => {});
    try {
      await probe.connect();
      return (await probe.ping()) === 'PONG';
    } catch {
      return false;
    } finally {
      probe.disconnect();
    }
  }

  async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const ending = child;
    child = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const exited = once(ending, 'exit');
    ending.kill('SIGCONT');
    ending.kill(signal);
    await exited;
  }

  const server: RedisServer = {
    ...{ port, url, client, start },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    suspend: () => child?.kill('SIGSTOP'),
    resume: () => child?.kill('SIGCONT'),
    [Symbol.asyncDispose]: async () => {
      client.disconnect();
      await end('SIGKILL');
      await rm(directory, { recursive: true, force: true });
    },
  };
  try {
    await start('lost');
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

/** A node of a cluster listens at its port + 10000 too. */
async function freeRedisPort(): Promise<number> {
  for (;;) {
    const port = await listenOnce(0);
    if (port < 55_000 && (await listenOnce(port + 10_000).catch(() => null)) !== null) return port;
  }
}

async function listenOnce(port: number): Promise<number> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error(`no port: ${address}`);
  return address.port;
}

function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => existsSync(join(directory, program)));
}
