import type { Dirent, Stats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import { documentTypeOf, knownExtensions } from './document-types.ts';
import type { IngestFailure, SourceFile } from './parsed.ts';

export type Found =
  | { readonly type: 'file'; readonly file: SourceFile }
  | { readonly type: 'skipped'; readonly path: string }
  | { readonly type: 'failure'; readonly failure: IngestFailure };

/**
 * The files at a path: the file itself, or all below a folder, by name. Dot files and node_modules are left out; links are
 * followed, each folder once. `skipped` is a file below a folder whose type nothing here reads.
 */
export async function* findFiles(path: string): AsyncGenerator<Found> {
  const root = resolve(path);
  const stats = await stat(root);
  if (stats.isDirectory()) {
    yield* walk(root, root, new Set());
    return;
  }
  const type = documentTypeOf(root);
  const name = basename(root);
  if (type !== null && stats.isFile()) {
    yield { type: 'file', file: { absolutePath: root, path: name, type, bytes: stats.size } };
  } else {
    const message = stats.isFile() ? `is of no known type: expected one of ${knownExtensions}` : 'is no file or folder';
    yield { type: 'failure', failure: { externalId: name, message } };
  }
}

async function* walk(folder: string, root: string, visited: Set<string>): AsyncGenerator<Found> {
  let entries: Dirent[];
  try {
    const real = await realpath(folder);
    // A link back to a folder above would never end; one to a folder beside it would bring the same files twice.
    if (visited.has(real)) return;
    visited.add(real);
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    yield unreadable(folder, root, error);
    return;
  }
  entries.sort((one, other) => (one.name < other.name ? -1 : 1));
  for (const { name } of entries) {
    if (name.startsWith('.') || name === 'node_modules') continue;
    const absolutePath = join(folder, name);
    let stats: Stats;
    try {
      stats = await stat(absolutePath);
    } catch (error) {
      yield unreadable(absolutePath, root, error);
      continue;
    }
    const path = below(root, absolutePath);
    const type = documentTypeOf(name);
    if (stats.isDirectory()) yield* walk(absolutePath, root, visited);
    else if (stats.isFile() && type !== null) {
      yield { type: 'file', file: { absolutePath, path, type, bytes: stats.size } };
    } else yield { type: 'skipped', path };
  }
}

function below(root: string, path: string): string {
  return relative(root, path).split(sep).join('/') || '.';
}

function unreadable(path: string, root: string, error: unknown): Found {
  const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return { type: 'failure', failure: { externalId: below(root, path), message: `cannot be read (${reason})` } };
}
