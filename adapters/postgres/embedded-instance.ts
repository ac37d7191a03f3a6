import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { DurableNodeFS } from './durable-node-fs.ts';
import { sizeOfDatabase } from './size-of-database.ts';

/** PGlite's own, without `-F`, which would turn fsync off. */
const startParams = [
  ...PGlite.defaultStartParams.filter((parameter) => parameter !== '-F'),
  ...['-c', 'fsync=on', '-c', 'synchronous_commit=on', '-c', 'wal_sync_method=fsync', '-c', 'full_page_writes=on'],
];

/**
 * All of `shared_buffers` is memory of this process from the start on, so it is no more than there is to read, as far as that can be
 * told at the start; what does not fit is in the kernel's cache, which is two to three times slower.
 */
const buffersMb = { least: 8, most: 32 };

/** PGlite on a directory, with vectors, and durable. It blocks its thread. */
export async function openInstance(directory: string): Promise<PGlite> {
  const sizeMb = Math.ceil((await sizeOfDatabase(directory)) / 2 ** 20);
  const sharedMb = Math.min(buffersMb.most, Math.max(buffersMb.least, sizeMb));
  return PGlite.create({
    fs: new DurableNodeFS(directory),
    extensions: { vector },
    startParams: [...startParams, '-c', `shared_buffers=${sharedMb}MB`],
  });
}
