import { mkdirSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

const memory = '/dev/shm';
const prefix = 'sluice-test-';
const leastFreeBytes = 4 * 2 ** 30;

/**
 * A directory in memory for the databases of one test run, which this process removes when it ends. Each test has a database of forty
 * megabytes of its own: to write those to a disk takes several times as long as what the test does with it.
 * @returns null where there is no such file system, or little room in it: then the databases are on the disk
 */
export function memoryDirectory(): string | null {
  try {
    const { bavail, bsize } = statfsSync(memory);
    if (bavail * bsize < leastFreeBytes) return null;
    removeThoseOfKilledRuns();
    const path = join(memory, `${prefix}${process.pid}`);
    mkdirSync(path, { recursive: true, mode: 0o755 });
    process.once('exit', () => rmSync(path, { recursive: true, force: true }));
    return path;
  } catch {
    return null;
  }
}

function removeThoseOfKilledRuns(): void {
  for (const name of readdirSync(memory)) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : Number.NaN;
    if (Number.isInteger(pid) && !isAlive(pid)) rmSync(join(memory, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
