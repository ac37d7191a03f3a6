import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { CommandContext } from '../../../server/cli/command-context.ts';
import { main } from '../../../server/cli/main.ts';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * What bin/sluice.js runs, in this process: for what a command says and how it ends. A process of its own (run-sluice.ts) takes
 * seconds to start, and is for what only a process has: signals, a terminal, another Node.
 * @param options `env` is all there is besides NO_COLOR; `input` is written to stdin, which is then closed
 */
export async function runCommand(
  args: readonly string[],
  { env = {}, input = '' }: { readonly env?: Readonly<Record<string, string>>; readonly input?: string } = {},
): Promise<CommandResult> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const printed = Promise.all([text(stdout), text(stderr)]);
  stdin.end(input);
  const code = await main(args, { stdin, stdout, stderr, env: { NO_COLOR: '1', ...env } } as unknown as CommandContext);
  stdout.end();
  stderr.end();
  const [out, err] = await printed;
  return { code, stdout: out, stderr: err };
}
