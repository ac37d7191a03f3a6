import { createHash } from 'node:crypto';
import { constants, cpSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import type { Database } from '../../adapters/postgres/database.ts';
import { openDatabase } from '../../adapters/postgres/open-database.ts';

/**
 * V8 shares compiled code between the threads of a process for as long as somebody holds it: without this, each database that
 * is opened after the last one was closed is compiled again.
 */
let compiled: Promise<WebAssembly.Module> | undefined;
function keepCompiled(): Promise<WebAssembly.Module> {
  const wasm = new URL('../../node_modules/@electric-sql/pglite/dist/pglite.wasm', import.meta.url);
  compiled ??= WebAssembly.compile(readFileSync(wasm));
  return compiled;
}

/** Whether this is a process of Vitest's, which ends it. One of a bench ends by itself, when nothing is open any more. */
export const isTestRun = (): boolean => process.env['SLUICE_TEST_DIRECTORY'] !== undefined;

/** Where databases of tests are, see vitest.config.ts. Those of benches, which measure what a commit costs, are on the disk. */
export function temporaryRoot(): string {
  return process.env['SLUICE_TEST_DIRECTORY'] ?? tmpdir();
}

/** Removes a directory when it goes out of scope. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(temporaryRoot(), 'sluice-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A data directory of its own, with all tables and no rows: the copy of one, since creating a cluster takes seconds. */
export async function temporaryDataDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  await keepCompiled();
  const directory = await temporaryDirectory();
  // A thousand files: copied one by one from here they take most of a second, in one call a twentieth of that.
  cpSync(await preparedDirectory(), directory.path, { recursive: true, mode: constants.COPYFILE_FICLONE });
  return directory;
}

/** A real embedded database with all tables and no rows. */
export async function openEmbeddedDatabase(): Promise<Database & AsyncDisposable> {
  const directory = await temporaryDataDirectory();
  try {
    const database = await openDatabase({ dataDir: directory.path });
    return Object.assign(database, {
      [Symbol.asyncDispose]: async () => {
        await database.close();
        await directory[Symbol.asyncDispose]();
      },
    });
  } catch (error) {
    await directory[Symbol.asyncDispose]();
    throw error;
  }
}

/** Named by what it was made from, so that workers and later runs share it, and other migrations get another. */
async function preparedDirectory(): Promise<string> {
  const path = join(tmpdir(), `sluice-test-prepared-${process.getuid?.() ?? 'all'}-${await fingerprint()}`);
  if (await exists(path)) return path;
  const release = await lockfile.lock(path, {
    realpath: false,
    retries: { retries: 300, factor: 1, minTimeout: 100, maxTimeout: 200 },
  });
  try {
    if (await exists(path)) return path;
    const draft = await mkdtemp(`${path}-`);
    const database = await openDatabase({ dataDir: draft });
    await database.close();
    await rename(draft, path);
    return path;
  } finally {
    await release();
  }
}

async function fingerprint(): Promise<string> {
  const migrations = new URL('../../adapters/postgres/migrations/', import.meta.url);
  const hash = createHash('sha256');
  for (const name of (await readdir(migrations)).filter((file) => file.endsWith('.sql')).sort()) {
    hash.update(name).update(await readFile(new URL(name, migrations)));
  }
  const lock = await readFile(new URL('../../package.json', import.meta.url));
  return hash.update(lock).digest('hex').slice(0, 16);
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
