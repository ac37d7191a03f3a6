import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endWithUs } from '../../test/helpers/end-with-us.ts';

/** A script of this folder in a process of its own, which says where it listens. */
export async function startChild(
  script: string,
  ...parameters: readonly (string | number)[]
): Promise<AsyncDisposable & { readonly url: string; readonly pid: number }> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = endWithUs(
    spawn(process.execPath, [path, ...parameters.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  const ended = once(child, 'close');
  const [line] = await once(child.stdout, 'data');
  return {
    url: String(line).trim(),
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
