import { createInterface } from 'node:readline';
import type { CommandContext } from '../command-context.ts';
import { CommandError, type ExitCode, exitCodes, Interrupted } from '../command-error.ts';

/**
 * Reads messages line by line, from a person or a pipe, and answers each before the next. A message that fails says so and
 * the conversation goes on. Ctrl-C cancels the answer, or, at the prompt, exits the second time; Ctrl-D exits.
 * From a pipe, Ctrl-C ends it all, and one failed message makes the whole a failure: no person saw which.
 */
export async function conversationLoop(
  { stdin, stdout, stderr }: CommandContext,
  answer: (message: string, interrupt: AbortSignal) => Promise<void>,
): Promise<ExitCode> {
  const terminal = Boolean(stdin.isTTY && stdout.isTTY);
  const lines = createInterface({ input: stdin, terminal, prompt: '> ', ...(terminal ? { output: stdout } : {}) });
  let answering: AbortController | null = null;
  let leaving = false;
  let failed = false;

  const interrupt = () => {
    if (answering !== null && !answering.signal.aborted) answering.abort(new Interrupted());
    else if (answering !== null || leaving || !terminal) process.exit(exitCodes.interrupted);
    else {
      leaving = true;
      stdout.write('\n(Ctrl-C again or Ctrl-D exits)\n');
      lines.prompt();
    }
  };
  // At a terminal readline reads Ctrl-C as a key; from a pipe it comes as a signal.
  lines.on('SIGINT', interrupt);
  process.on('SIGINT', interrupt);
  try {
    if (terminal) lines.prompt();
    for await (const line of lines) {
      leaving = false;
      if (line.trim() !== '') {
        answering = new AbortController();
        try {
          await answer(line, answering.signal);
        } catch (error) {
          if (!(error instanceof CommandError)) throw error;
          if (error instanceof Interrupted && !terminal) return exitCodes.interrupted;
          failed = true;
          stderr.write(error instanceof Interrupted ? '(cancelled)\n' : `sluice: ${error.message}\n`);
        }
        answering = null;
      }
      if (terminal) lines.prompt();
    }
  } finally {
    process.off('SIGINT', interrupt);
    lines.close();
  }
  return failed && !terminal ? exitCodes.failure : exitCodes.ok;
}
