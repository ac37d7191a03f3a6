import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from './embedded-database.ts';

/** A configuration file of the test's own, and the environment that names it. */
export async function configFile(
  values: Readonly<Record<string, unknown>>,
): Promise<AsyncDisposable & { readonly environment: { readonly SLUICE_CONFIG: string } }> {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'sluice.config.json');
  await writeFile(path, JSON.stringify(values));
  return { environment: { SLUICE_CONFIG: path }, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}
