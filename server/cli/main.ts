import process from 'node:process';
import { CommanderError } from 'commander';
import type { CommandContext } from './command-context.ts';
import { CommandError, exitCodes, Interrupted } from './command-error.ts';
import { createProgram } from './program.ts';

/** Runs one command line (without node and script) and returns its exit code. */
export async function main(argv: readonly string[], context: CommandContext): Promise<number> {
  // The reader of a pipe went away (`sluice search … | head -1`): nothing is left to do, and nothing went wrong.
  context.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failure);
  });
  try {
    await createProgram(context).parseAsync(argv, { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    report(error, context);
    return error instanceof CommandError ? error.exitCode : exitCodes.failure;
  }
}

function report(error: unknown, { stderr, env }: CommandContext): void {
  if (env['LOG_LEVEL'] === 'debug' && error instanceof Error) {
    stderr.write(`sluice: ${error.stack ?? error.message}\n`);
    if (error.cause !== undefined) stderr.write(`caused by: ${inspectCause(error.cause)}\n`);
  } else if (error instanceof CommandError) {
    // A bare Ctrl-C needs no words.
    if (!(error instanceof Interrupted) || error.message !== 'interrupted') stderr.write(`sluice: ${error.message}\n`);
  } else {
    const message = error instanceof Error ? error.message : String(error);
    stderr.write(`sluice: ${message.split('\n', 1)[0]} (LOG_LEVEL=debug shows more)\n`);
  }
}

function inspectCause(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
