import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { DurableNodeFS } from './durable-node-fs.ts';

/** PGlite's own, without `-F`, which would turn fsync off. */
const startParams = [
  ...PGlite.defaultStartParams.filter((parameter) => parameter !== '-F'),
  ...['-c', 'fsync=on', '-c', 'synchronous_commit=on', '-c', 'wal_sync_method=fsync', '-c', 'full_page_writes=on'],
  // All of it is memory of this process from the start on; what does not fit is in the kernel's cache.
  ...['-c', 'shared_buffers=32MB'],
];

/** PGlite on a directory, with vectors, and durable. It blocks its thread. */
export function openInstance(directory: string): Promise<PGlite> {
  return PGlite.create({ fs: new DurableNodeFS(directory), extensions: { vector }, startParams });
}
