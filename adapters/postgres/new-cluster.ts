import { closeSync, fsyncSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openInstance } from './embedded-instance.ts';

/*
 * A program, forked with a directory as its argument: makes a new cluster there, and ends when all of it is on disk, or when
 * the process that forked it has gone.
 */
const [, , directory] = process.argv;
if (directory === undefined) throw new Error('expected the directory of the new cluster');
process.once('disconnect', () => process.exit(1));
await (await openInstance(directory)).close();
synchronise(directory);
process.exit(0);

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
