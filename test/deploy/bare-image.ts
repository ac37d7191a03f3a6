import { execFile } from 'node:child_process';
import { cpSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { type Dockerfile, parseDockerfile, type Stage } from './dockerfile.ts';

const project = new URL('../../', import.meta.url).pathname;
export const isRoot = process.getuid?.() === 0;

/** What `docker build` would make, as a directory: the Dockerfile's own steps, with this Node in place of the base image. */
export interface BareImage extends AsyncDisposable {
  readonly dockerfile: Dockerfile;
  /** An absolute path of the image → where it lies on this machine. */
  path(inImage: string): string;
  /** What Node has compiled for its processes lies here, which is no part of it: what one has compiled the next one need not. */
  readonly compiled: string;
  /** The variables of a process in it. */
  environment(own: Readonly<Record<string, string>>): Record<string, string>;
}

export async function buildBareImage(): Promise<BareImage> {
  const dockerfile = parseDockerfile(await readFile(join(project, 'Dockerfile'), 'utf8'));
  const directory = await mkdtemp(join(tmpdir(), 'sluice-image-'));
  const dispose = async (): Promise<void> => {
    // An ordinary user cannot empty a directory that is read-only.
    await promisify(execFile)('chmod', ['-R', 'u+w', directory]);
    await rm(directory, { recursive: true, force: true });
  };
  const rootOf = (stage: Stage): string => join(directory, stage.name);
  const last = dockerfile.stages.at(-1) as Stage;
  const path = (inImage: string): string => join(rootOf(last), inImage);
  const compiled = join(directory, 'compiled');
  try {
    // The image's user has to get in, and mkdtemp lets nobody.
    await chmod(directory, 0o755);
    await mkdir(compiled);
    await chmod(compiled, 0o777);
    const programs = await makePrograms(directory);
    for (const stage of dockerfile.stages) {
      await mkdir(rootOf(stage));
      await build(stage, { rootOf, stages: dockerfile.stages, programs });
    }
    await mkdir(path('/tmp'));
    await chmod(path('/tmp'), 0o1777);
    await promisify(execFile)('chmod', ['-R', 'a-w', path(dockerfile.settings.workdir)]);
    return {
      dockerfile,
      path,
      compiled,
      environment: (own) => ({
        PATH: programs,
        HOME: '/nonexistent',
        TMPDIR: path('/tmp'),
        NODE_COMPILE_CACHE: compiled,
        ...mapValues(dockerfile.settings.environment, (value) => (value.startsWith('/') ? path(value) : value)),
        ...own,
      }),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/**
 * What the base image has on its PATH: a copy, since the project's own may lie where the image's user cannot go. In CI npm is npm; elsewhere
 * one that copies what is installed here.
 */
async function makePrograms(directory: string): Promise<string> {
  const programs = join(directory, 'programs');
  await mkdir(programs);
  await copyFile(process.execPath, join(programs, 'node'));
  await chmod(join(programs, 'node'), 0o755);
  if (process.env['CI'] === undefined) {
    const script = new URL('./npm-ci.ts', import.meta.url).pathname;
    const install = `#!/bin/sh\nexec '${process.execPath}' '${script}' '${project}' "$@"\n`;
    await writeFile(join(programs, 'npm'), install, { mode: 0o755 });
  }
  if (!isRoot) {
    // Who is not root may give nothing away, and runs the image as himself.
    await writeFile(join(programs, 'chown'), '#!/bin/sh\n', { mode: 0o755 });
  }
  return programs;
}

async function build(
  stage: Stage,
  {
    rootOf,
    stages,
    programs,
  }: { readonly rootOf: (stage: Stage) => string; readonly stages: readonly Stage[]; readonly programs: string },
): Promise<void> {
  let workdir = '/';
  const inRoot = (path: string): string => join(rootOf(stage), path.startsWith('/') ? path : join(workdir, path));
  for (const step of stage.steps) {
    switch (step.type) {
      case 'workdir':
        workdir = step.path;
        await mkdir(inRoot(workdir), { recursive: true });
        break;
      case 'run':
        await run(step.command.replaceAll(/(?<=^|\s)\/(?=\w)/g, `${rootOf(stage)}/`), inRoot(workdir), programs);
        break;
      case 'copy': {
        const from = stages.find(({ name }) => name === step.from);
        if (step.from !== null && !from) throw new Error(`expected a stage ${step.from}`);
        for (const source of step.sources) {
          if (from) await copy(join(rootOf(from), source), inRoot(step.target));
          else if (source === '.') await copyContext(inRoot(step.target));
          else await copy(join(project, source), inRoot(step.target));
        }
      }
    }
  }
}

/** As COPY does it: of a directory its content, a file into the directory. In one call, a tenth of the work of a call for each file. */
async function copy(source: string, target: string): Promise<void> {
  const to = (await stat(source)).isDirectory() ? target : join(target, basename(source));
  cpSync(source, to, { recursive: true, verbatimSymlinks: true });
}

async function copyContext(target: string): Promise<void> {
  for (const name of await contextEntries()) {
    cpSync(join(project, name), join(target, name), { recursive: true });
  }
}

/** The names that .dockerignore lets through: it begins with `*` and takes names back. */
export async function contextEntries(): Promise<string[]> {
  const text = await readFile(join(project, '.dockerignore'), 'utf8');
  const [everything, ...names] = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  if (everything !== '*' || names.some((name) => !/^![\w./-]+$/.test(name)))
    throw new Error('expected .dockerignore to be * and then lines of !name');
  return names.map((name) => name.slice(1));
}

async function run(command: string, cwd: string, programs: string): Promise<void> {
  // Not npm's own settings of the run that runs these tests, which name another project.
  const environment = Object.entries(process.env).filter(
    ([name]) => name !== 'NODE_ENV' && !/^npm_(?!config_(registry|cache|userconfig)$)/.test(name),
  );
  const path = [programs, ...(process.env['PATH'] ?? '').split(delimiter).filter((entry) => !isNodeModules(entry))];
  try {
    await promisify(execFile)('sh', ['-ec', command], {
      cwd,
      env: { ...Object.fromEntries(environment), PATH: path.join(delimiter), npm_config_prefer_offline: 'true' },
    });
  } catch (error) {
    throw new Error(`${command} failed: ${(error as { stderr?: unknown }).stderr}`, { cause: error });
  }
}

const isNodeModules = (path: string): boolean => path.includes('node_modules');

function mapValues(values: Readonly<Record<string, string>>, to: (value: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, to(value)]));
}
