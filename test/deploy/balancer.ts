import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../helpers/free-port.ts';

export const hasNginx = await promisify(execFile)('nginx', ['-v']).then(
  () => true,
  () => false,
);

/** nginx with deploy/nginx.conf, in front of servers of this machine. */
export interface Balancer extends AsyncDisposable {
  /** http://127.0.0.1:port */
  readonly url: string;
}

const configuration = new URL('../../deploy/nginx.conf', import.meta.url);

export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-nginx-'));
  // Started by root, nginx works as another user, who buffers bodies here.
  await chmod(directory, 0o755);
  const port = await freePort();
  const file = join(directory, 'nginx.conf');
  await writeFile(file, forThisMachine(await readFile(configuration, 'utf8'), { directory, port, ports }));
  const options = ['-p', directory, '-e', join(directory, 'error.log'), '-c', file];
  try {
    await promisify(execFile)('nginx', [...options, '-t']);
    const child = spawn('nginx', [...options, '-g', 'daemon off;'], { stdio: 'ignore' });
    const ended = once(child, 'exit');
    const dispose = async (): Promise<void> => {
      child.kill('SIGTERM');
      await ended;
      await rm(directory, { recursive: true, force: true });
    };
    try {
      await accepts(port);
    } catch (error) {
      const log = await readFile(join(directory, 'error.log'), 'utf8');
      await dispose();
      throw new Error(`nginx did not start: ${log}`, { cause: error });
    }
    return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** The addresses are other ones here, and a Debian's nginx does not know `resolve` yet. All else stays as it is. */
function forThisMachine(
  text: string,
  to: { readonly directory: string; readonly port: number; readonly ports: readonly number[] },
): string {
  const servers = to.ports.map((port) => `server 127.0.0.1:${port}$1;`).join('\n');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${to.directory}/${name};`)
    .join('\n');
  const changes: readonly (readonly [RegExp, string])[] = [
    [/server gateway:4000 resolve( [^;]+);/, servers],
    [/resolver [^;]+;/, temporary],
    [/listen 8080;/, `listen 127.0.0.1:${to.port};`],
    [/access_log [^;]+;/, 'access_log off;'],
    [/^events \{/m, `pid ${to.directory}/nginx.pid;\nevents {`],
  ];
  return changes.reduce((changed, [pattern, replacement]) => {
    if (!pattern.test(changed)) throw new Error(`expected ${pattern} in deploy/nginx.conf`);
    return changed.replace(pattern, replacement);
  }, text);
}

async function accepts(port: number): Promise<void> {
  const until = performance.now() + 10_000;
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
    } finally {
      socket.destroy();
    }
    await sleep(20);
  }
}
