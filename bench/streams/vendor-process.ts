import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endWithUs } from '../../test/helpers/end-with-us.ts';

const script = fileURLToPath(new URL('../../test/helpers/vendor/main.ts', import.meta.url));

/** The vendor double in a process of its own, so that its work is not taken for the gateway's or the client's. */
export async function startVendorProcess(options: {
  readonly tokens: number;
  readonly tokensPerSecond: number;
}): Promise<AsyncDisposable & { readonly url: string }> {
  const { tokens, tokensPerSecond } = options;
  const flags = ['--port', '0', '--tokens', `${tokens}`, '--tokens-per-second', `${tokensPerSecond}`];
  const child = endWithUs(
    spawn(process.execPath, [script, ...flags, '--fast', '--stamp'], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  const ended = once(child, 'close');
  const [line] = await once(child.stdout, 'data');
  const url = /vendor on (\S+)/.exec(String(line))?.[1];
  if (url === undefined) throw new Error(`the vendor did not say where it is: ${line}`);
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
