import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { endWithUs } from './end-with-us.ts';
import { freePort } from './free-port.ts';

const command = fileURLToPath(new URL('../../bin/sluice.js', import.meta.url));

/** `sluice start` in a process of its own, as people run it: it can be measured from outside, and killed. */
export interface GatewayProcess extends AsyncDisposable {
  readonly pid: number;
  /** http://127.0.0.1:port/graphql */
  readonly url: string;
  /** From the spawn to the first /ready that says yes. */
  readonly readyMs: number;
  /** What it has written so far. */
  readonly output: string;
  /** The data of an operation; throws when there are errors. */
  data<TData>(query: string, variables?: Record<string, unknown>): Promise<TData>;
  /** A subscription over a socket of its own. Ends with its source, or with an error when the gateway goes. */
  subscribe<TData>(query: string, variables?: Record<string, unknown>): AsyncIterable<TData>;
  /** Megabytes of memory now, and the most there have been. */
  memory(): Promise<{ readonly nowMb: number; readonly peakMb: number }>;
  /** SIGKILL; resolves when the process has gone. */
  kill(): Promise<void>;
  /** SIGTERM; the exit code. */
  stop(): Promise<number | null>;
}

export interface GatewayProcessOptions {
  readonly dataDir: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** The Node that runs bin/sluice.js; by default the one that runs this. */
  readonly node?: string;
  readonly readyWithinMs?: number;
}

/** Resolves once it is ready. A process that ends or stays silent instead rejects, with what it wrote. */
export async function startGatewayProcess(options: GatewayProcessOptions): Promise<GatewayProcess> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/graphql`;
  const begun = performance.now();
  const spawned = spawnSluice(options, { PORT: String(port) });
  const { child, ended } = spawned;
  try {
    await ready(`http://127.0.0.1:${port}/ready`, spawned, options.readyWithinMs ?? 60_000);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  const readyMs = performance.now() - begun;
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await ended;
    return child.exitCode;
  };
  return {
    pid: child.pid ?? 0,
    url,
    readyMs,
    get output() {
      return spawned.output();
    },
    data: (query, variables) => requestData(url, keyHeaders(options), query, variables),
    subscribe: (query, variables) => subscribe(url, keyHeaders(options), query, variables),
    memory: () => memoryOf(child.pid ?? 0),
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    [Symbol.asyncDispose]: async () => void (await end('SIGKILL')),
  };
}

/** A start that is expected to fail: its exit code and what it wrote. */
export async function failedStart(
  options: GatewayProcessOptions,
): Promise<{ readonly exitCode: number | null; readonly output: string }> {
  const spawned = spawnSluice(options, { PORT: '0' });
  await Promise.race([spawned.ended, sleep(options.readyWithinMs ?? 60_000, undefined, { ref: false })]);
  const { exitCode } = spawned.child;
  spawned.child.kill('SIGKILL');
  await spawned.ended;
  return { exitCode, output: spawned.output() };
}

interface Spawned {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  output(): string;
}

function spawnSluice(options: GatewayProcessOptions, own: Record<string, string>): Spawned {
  // Nothing of the caller's own configuration: only where programs are found, and compiled modules.
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE } = process.env;
  const environment = { PATH, HOME, ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }) };
  const child = endWithUs(
    spawn(options.node ?? process.execPath, [command, 'start'], {
      env: { ...environment, LOG_LEVEL: 'warn', SLUICE_DATA_DIR: options.dataDir, ...own, ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  const written: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => written.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => written.push(chunk));
  return { child, ended: once(child, 'close'), output: () => Buffer.concat(written).toString() };
}

async function ready(url: string, { child, output }: Spawned, withinMs: number): Promise<void> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the gateway ended with ${child.exitCode ?? child.signalCode}: ${output()}`);
    }
    const response = await fetch(url).catch(() => null);
    await response?.body?.cancel();
    if (response?.ok) return;
    await sleep(20);
  }
  throw new Error(`the gateway was not ready within ${withinMs} ms: ${output()}`);
}

/** The gateway's static key, where it has one. */
function keyHeaders({ environment }: GatewayProcessOptions): Readonly<Record<string, string>> {
  const key = environment?.['SLUICE_API_KEY'];
  return key === undefined ? {} : { authorization: `Bearer ${key}` };
}

async function requestData<TData>(
  url: string,
  headers: Readonly<Record<string, string>>,
  query: string,
  variables?: Record<string, unknown>,
): Promise<TData> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data?: TData | null; errors?: unknown };
  if (errors || !data) throw new Error(`the operation failed: ${JSON.stringify(errors)}`);
  return data;
}

async function* subscribe<TData>(
  url: string,
  connectionParams: Readonly<Record<string, string>>,
  query: string,
  variables: Record<string, unknown> = {},
): AsyncGenerator<TData> {
  const client = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams,
  });
  try {
    for await (const { data, errors } of client.iterate<TData>({ query, variables })) {
      if (errors) throw new Error(`the subscription failed: ${JSON.stringify(errors)}`);
      if (data) yield data;
    }
  } finally {
    await client.dispose();
  }
}

async function memoryOf(pid: number): Promise<{ nowMb: number; peakMb: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const megabytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
  return { nowMb: megabytes('VmRSS'), peakMb: megabytes('VmHWM') };
}
