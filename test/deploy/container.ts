import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../helpers/free-port.ts';
import { type BareImage, isRoot } from './bare-image.ts';

/** A process of the image, as `docker run` would start it: its command, its user, its variables. */
export interface Container extends AsyncDisposable {
  /** http://127.0.0.1:port */
  readonly url: string;
  readonly output: () => string;
  readonly exitCode: Promise<number | null>;
  /** The image's HEALTHCHECK: its exit code. */
  checkHealth(): Promise<number>;
  stop(): Promise<number | null>;
}

export async function startContainer(image: BareImage, own: Readonly<Record<string, string>>): Promise<Container> {
  const { settings } = image.dockerfile;
  const port = await freePort();
  const place = {
    cwd: image.path(settings.workdir),
    env: image.environment({ PORT: String(port), ...own }),
    ...(isRoot ? settings.user : {}),
  };
  const [program = '', ...parameters] = settings.command;
  const child = spawn(program, parameters, { ...place, stdio: ['ignore', 'pipe', 'pipe'] });
  const written: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => written.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => written.push(chunk));
  const exitCode = once(child, 'close').then(() => child.exitCode);
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    return await exitCode;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    output: () => Buffer.concat(written).toString(),
    exitCode,
    async checkHealth() {
      const [check = '', ...arguments_] = settings.healthcheck;
      return await promisify(execFile)(check, arguments_, place).then(
        () => 0,
        (error: { code: number }) => error.code,
      );
    },
    stop: () => end('SIGTERM'),
    [Symbol.asyncDispose]: async () => void (await end('SIGKILL')),
  };
}

/** Resolves with what /ready says once it says yes. A container that has ended rejects, with what it wrote. */
export async function ready({ url, output, exitCode }: Container, withinMs = 120_000): Promise<void> {
  let ended = false;
  void exitCode.then(() => {
    ended = true;
  });
  const until = performance.now() + withinMs;
  while (performance.now() < until && !ended) {
    const response = await fetch(`${url}/ready`).catch(() => null);
    await response?.body?.cancel();
    if (response?.ok) return;
    await sleep(50);
  }
  throw new Error(`not ready within ${withinMs} ms: ${output()}`);
}
