import { mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import { z } from 'zod';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import { isAlive, thisProcess } from './process-identity.ts';

/** A lock whose owner cannot be looked at (another host) counts as left behind after so long without a sign of life. */
const staleMs = 10_000;

const ownerSchema = z.object({
  pid: z.number(),
  host: z.string(),
  namespace: z.string().nullable(),
  start: z.string().nullable(),
  since: z.string(),
});
type Owner = z.infer<typeof ownerSchema>;

export interface DirectoryLock {
  /** The locked directory without symbolic links. */
  readonly directory: string;
  release(): Promise<void>;
}

/**
 * Makes the directory and takes it for this process; CONFLICT that names the owner when another one has it. Two PGlites in one
 * directory would lose each other's rows without an error.
 *
 * A process of this host that was killed is found dead and replaced at once; a living one keeps its lock, however long it
 * was stopped. `onLost` is called when another host took the lock over: stop writing.
 */
export async function lockDirectory(path: string, onLost: (error: Error) => void): Promise<DirectoryLock> {
  const directory = await makeDirectory(path);
  // The file that is named is what the library tells locks apart by; it puts `.lock` behind it.
  const locked = join(directory, 'postgres');
  const ownerPath = join(directory, 'postgres.owner.json');
  // Looking at the owner and taking its place must be one step, or two processes would replace the same dead owner.
  const leave = await lockfile.lock(join(directory, 'postgres.entry'), {
    realpath: false,
    stale: 5_000,
    retries: { retries: 60, factor: 1, minTimeout: 100, maxTimeout: 200, randomize: true },
    onCompromised: () => {},
  });
  try {
    const owner = await readOwner(ownerPath);
    const alive = owner ? isAlive(owner) : null;
    if (owner && alive) throw inUse(directory, owner);
    if (owner && alive === false) await rm(`${locked}.lock`, { recursive: true, force: true });
    const release = await take(directory, locked, owner, onLost);
    const self: Owner = { ...thisProcess(), since: new Date().toISOString() };
    await writeFile(ownerPath, JSON.stringify(self));
    return {
      directory,
      release: async () => {
        await rm(ownerPath, { force: true });
        await release();
      },
    };
  } finally {
    await leave();
  }
}

async function take(
  directory: string,
  locked: string,
  owner: Owner | null,
  onLost: (error: Error) => void,
): Promise<() => Promise<void>> {
  try {
    return await lockfile.lock(locked, {
      realpath: false,
      stale: staleMs,
      // An owner that cannot be looked at may have died a moment ago, as when a container is replaced: see it through.
      retries: { retries: 24, factor: 1, minTimeout: 500, maxTimeout: 500 },
      onCompromised: onLost,
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ELOCKED') throw inUse(directory, owner, error);
    throw error;
  }
}

function inUse(directory: string, owner: Owner | null, cause?: unknown): GatewayError {
  const who = owner ? `process ${owner.pid} on ${owner.host} since ${owner.since}` : 'another process';
  return new GatewayError(
    'CONFLICT',
    `the data directory ${directory} is in use by ${who}: stop it, choose another directory, or use a database server for several`,
    { cause },
  );
}

async function readOwner(path: string): Promise<Owner | null> {
  try {
    return ownerSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    // Absent, or cut short by a crash: then the lock's age alone decides.
    return null;
  }
}

async function makeDirectory(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true });
    const directory = await realpath(path);
    // Asking for permission is not enough: a file system may be read-only or full.
    const probe = join(directory, `.write-probe-${process.pid}`);
    await writeFile(probe, '');
    await rm(probe);
    return directory;
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new GatewayError(
      'BAD_INPUT',
      `expected a data directory that can be created and written, got ${path}: ${why}`,
      {
        cause: error,
      },
    );
  }
}
