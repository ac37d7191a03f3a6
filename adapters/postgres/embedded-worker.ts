import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { flushCompileCache } from 'node:module';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parentPort, workerData } from 'node:worker_threads';
import type { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { openInstance } from './embedded-instance.ts';
import { keepParserPlain } from './wasm-tiers.ts';
import { exchangeWhole } from './whole-exchanges.ts';

/*
 * The thread of the embedded database: WASM blocks its thread for the length of a statement. Says `ready` when the socket
 * listens and `closed` when everything is on disk; any error ends the thread, which the parent hears of.
 */
export interface EmbeddedWorkerData {
  readonly directory: string;
  readonly socketPath: string;
}

const draftPrefix = 'postgres.new-';
/** PGlite's. It would open the cluster of another version only to break on it. */
const version = '18';

// From embedded.ts, which is all that starts this. A thread loads its modules for itself, and zod takes 15 MB.
const { directory, socketPath } = workerData as EmbeddedWorkerData;

if (!existsSync(directory)) await makeCluster();
checkVersion();
keepParserPlain();
const database = await openInstance(directory);
failLoudly(database);
exchangeWhole(database);
const server = new PGLiteSocketServer({ db: database, path: socketPath, maxConnections: 4 });
await server.start();

parentPort?.once('message', async () => {
  await server.stop();
  await database.close();
  parentPort?.postMessage('closed');
  parentPort?.close();
});
parentPort?.postMessage('ready');
// A thread that is killed with its process would leave nothing for the next start.
flushCompileCache();

/**
 * A new cluster is made beside its place and moved there when it is whole and on disk: one that was cut short would be
 * taken for a database at the next start. Made by a process of its own, since a thread would leave 160 MB behind, and one too
 * short-lived for its code to be worth optimising. It may outlive a killed gateway by moments, hence the draft's own name.
 */
async function makeCluster(): Promise<void> {
  const parent = dirname(directory);
  for (const name of readdirSync(parent)) {
    if (name.startsWith(draftPrefix)) rmSync(join(parent, name), { recursive: true, force: true });
  }
  const draft = mkdtempSync(join(parent, draftPrefix));
  const program = fork(new URL('./new-cluster.ts', import.meta.url), [draft], {
    execArgv: ['--wasm-tier-up-filter=0'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const said = program.stderr === null ? '' : text(program.stderr);
  const [code, signal] = await once(program, 'exit');
  if (code !== 0) throw new Error(`a new cluster could not be made (${signal ?? code}): ${(await said).slice(-2_000)}`);
  renameSync(draft, directory);
  synchroniseOne(parent);
}

function checkVersion(): void {
  let found: string;
  try {
    found = readFileSync(join(directory, 'PG_VERSION'), 'utf8').trim();
  } catch (error) {
    throw new Error(`${directory} is there, and is no database: ${error instanceof Error ? error.message : error}`);
  }
  if (found !== version) {
    throw new Error(
      `${directory} is a database of PostgreSQL ${found}, and can be opened by PostgreSQL ${version} only`,
    );
  }
}

function synchroniseOne(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * A failed statement is an answer; an exception is a broken WASM instance. The socket server would keep the latter to itself
 * and never answer again, so it ends the thread here.
 */
function failLoudly(instance: PGlite): void {
  const run = instance.execProtocolRawStream.bind(instance);
  instance.execProtocolRawStream = async (message, options) => {
    try {
      await run(message, options);
    } catch (error) {
      setImmediate(() => {
        throw error;
      });
      throw error;
    }
  };
}
