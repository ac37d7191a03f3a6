import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { z } from 'zod';
import { DurableNodeFS } from './durable-node-fs.ts';

/*
 * The thread of the embedded database: WASM blocks its thread for the length of a statement. Says `ready` when the socket
 * listens and `closed` when everything is on disk; any error ends the thread, which the parent hears of.
 */

/** PGlite's own, without `-F`, which would turn fsync off. */
const startParams = [
  ...PGlite.defaultStartParams.filter((parameter) => parameter !== '-F'),
  ...['-c', 'fsync=on', '-c', 'synchronous_commit=on', '-c', 'wal_sync_method=fsync', '-c', 'full_page_writes=on'],
];

const { directory, socketPath } = z.object({ directory: z.string(), socketPath: z.string() }).parse(workerData);

if (!existsSync(join(directory, 'PG_VERSION'))) await initialise(directory);
const database = await open(directory);
failLoudly(database);
const server = new PGLiteSocketServer({ db: database, path: socketPath, maxConnections: 4 });
await server.start();

parentPort?.once('message', async () => {
  await server.stop();
  await database.close();
  parentPort?.postMessage('closed');
  parentPort?.close();
});
parentPort?.postMessage('ready');

function open(path: string): Promise<PGlite> {
  return PGlite.create({ fs: new DurableNodeFS(path), extensions: { vector }, startParams });
}

/**
 * A new cluster is made beside its place and moved there when it is whole and on disk: one that was cut short would be
 * taken for a database at the next start.
 */
async function initialise(path: string): Promise<void> {
  const draft = `${path}.new`;
  rmSync(draft, { recursive: true, force: true });
  await (await open(draft)).close();
  synchronise(draft);
  renameSync(draft, path);
  synchroniseOne(dirname(path));
}

function synchronise(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) synchronise(child);
    else if (entry.isFile()) synchroniseOne(child);
  }
  synchroniseOne(path);
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
