import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

// The tables of adapters/postgres/schema and its migrations say the same: generating anew would add nothing.
const folder = await mkdtemp('.migrations-check-');
try {
  await cp('adapters/postgres/migrations', folder, { recursive: true });
  const before = (await readdir(folder)).length;
  execFileSync('drizzle-kit', [
    'generate',
    '--dialect=postgresql',
    '--schema=./adapters/postgres/schema/*.ts',
    `--out=./${folder}`,
  ]);
  const added = (await readdir(folder)).length - before;
  if (added > 0) {
    console.error(
      `adapters/postgres/schema has changes that no migration makes: run npm run generate (${join(folder)})`,
    );
    process.exitCode = 1;
  }
} finally {
  await rm(folder, { recursive: true });
}
