import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

/*
 * What `npm ci --omit=dev --ignore-scripts` installs, copied from where npm has installed it before: seconds instead of a minute, and no
 * network. A program: the project as its first argument, npm's after it.
 */
interface Package {
  readonly dev?: boolean;
  readonly optional?: boolean;
}

const [, , project = '', command, ...flags] = process.argv;
if (command !== 'ci' || !['--omit=dev', '--ignore-scripts'].every((flag) => flags.includes(flag)))
  throw new Error(`expected npm ci --omit=dev --ignore-scripts, got npm ${[command, ...flags].join(' ')}`);

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Package> };
for (const [path, { dev = false, optional = false }] of Object.entries(packages)) {
  if (path === '' || dev) continue;
  const source = join(project, path);
  if (existsSync(source)) {
    // What is nested in it has a line of its own.
    const nested = join(source, 'node_modules');
    cpSync(source, path, { recursive: true, verbatimSymlinks: true, filter: (from) => from !== nested });
  } else if (!optional) {
    throw new Error(`${path} is in package-lock.json and not installed: run npm ci`);
  }
}
