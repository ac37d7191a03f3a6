import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ClientBase } from 'pg';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { Database } from './database.ts';
import { type DirectoryLock, lockDirectory } from './directory-lock.ts';
import { maintain } from './embedded-maintenance.ts';
import type { EmbeddedWorkerData } from './embedded-worker.ts';
import { smallNewSpace } from './new-space.ts';
import type { DatabaseServer } from './pooled-database.ts';
import { PreparedStatements } from './prepared-statements.ts';
import { longestFullVector } from './vector-indexes.ts';

/** The driver makes a socket's path of a directory and a port, as PostgreSQL's own tools do. */
export const socketPort = 5432;
const longestSocketPath = 103;
const closeTimeoutMs = 30_000;
const maintenanceIntervalMs = 10_000;
/** More than the program has of its own; a long one takes half a megabyte. */
const mostPrepared = 150;

/** PGlite in a thread of its own, durable, in `<dataDir>/postgres`. One connection at a time, through a private socket. */
export class EmbeddedServer implements DatabaseServer {
  /** Half precision is computed without the processor's help here, which costs an ingest more than an index saves. */
  readonly longestIndexedVector = longestFullVector;
  readonly pipelines = true;
  readonly prepared = new PreparedStatements(mostPrepared);
  /**
   * Long statements that were written for one plan. Left to itself PostgreSQL plans each anew, since it takes the arrays that it does
   * not know for longer than they are; that takes longer than what a better plan could save.
   */
  readonly readSettings = { plan_cache_mode: 'force_generic_plan' };
  #lock: DirectoryLock | null = null;
  #socketDirectory: string | null = null;
  #worker: Worker | null = null;
  #exited: Promise<unknown> = Promise.resolve();
  #fatal: string | null = null;
  #closing = false;
  #stopMaintenance: () => void = () => {};

  /** Resolves with the directory of the socket once it listens. */
  async start(dataDir: string): Promise<string> {
    this.#lock = await lockDirectory(dataDir, (error) =>
      this.#fail(`the data directory was taken over: ${error.message}`),
    );
    this.#socketDirectory = await makeSocketDirectory();
    const restoreNewSpace = smallNewSpace();
    const worker = new Worker(new URL('./embedded-worker.ts', import.meta.url), {
      name: 'embedded-database',
      workerData: {
        directory: join(this.#lock.directory, 'postgres'),
        socketPath: join(this.#socketDirectory, `.s.PGSQL.${socketPort}`),
      } satisfies EmbeddedWorkerData,
    });
    this.#worker = worker;
    worker.once('online', restoreNewSpace);
    const ready = Promise.withResolvers<void>();
    worker.once('message', () => ready.resolve());
    worker.on('error', (error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      ready.reject(new GatewayError('INTERNAL', `the embedded database could not be opened: ${why}`, { cause: error }));
      this.#fail(`the embedded database stopped: ${why}`);
    });
    this.#exited = new Promise<void>((resolve) => {
      worker.once('exit', (code) => {
        restoreNewSpace();
        ready.reject(new GatewayError('INTERNAL', `the embedded database ended with ${code} before it was open`));
        if (!this.#closing) this.#fail(`the embedded database stopped with ${code}`);
        resolve();
      });
    });
    await ready.promise;
    return this.#socketDirectory;
  }

  /** The session is the same for each connection, and still knows what the one before had prepared. */
  async forget(client: ClientBase): Promise<void> {
    await client.query('deallocate all');
    this.prepared.forget();
  }

  maintain(database: Database): void {
    this.#stopMaintenance = maintain(database, maintenanceIntervalMs);
  }

  stop(): void {
    this.#stopMaintenance();
  }

  fatal(): string | null {
    return this.#fatal;
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#worker) {
      const worker = this.#worker;
      const overdue = setTimeout(() => void worker.terminate(), closeTimeoutMs);
      worker.postMessage('close');
      await this.#exited;
      clearTimeout(overdue);
    }
    if (this.#socketDirectory) await rm(this.#socketDirectory, { recursive: true, force: true });
    await this.#lock?.release();
  }

  #fail(reason: string): void {
    this.#fatal ??= reason;
    // Ends the socket, and with it whatever waits for an answer.
    void this.#worker?.terminate();
  }
}

/** Under the system's temporary directory, since the path of a socket is limited to about 107 bytes. Mode 0700. */
async function makeSocketDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-'));
  if (Buffer.byteLength(join(directory, `.s.PGSQL.${socketPort}`)) <= longestSocketPath) return directory;
  await rm(directory, { recursive: true });
  return await mkdtemp('/tmp/sluice-');
}
