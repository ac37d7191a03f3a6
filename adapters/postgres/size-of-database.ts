import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes of the largest database of a cluster's directory: ours, beside PostgreSQL's templates. 0 where there is none yet. */
export async function sizeOfDatabase(directory: string): Promise<number> {
  const base = join(directory, 'base');
  const databases = await namesIn(base);
  const sizes = await Promise.all(databases.map((name) => sizeOfFiles(join(base, name))));
  return Math.max(0, ...sizes);
}

async function sizeOfFiles(folder: string): Promise<number> {
  const names = await namesIn(folder);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return [];
    throw error;
  }
}
