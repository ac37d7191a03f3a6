/** What the shell is told. 130 is 128 + SIGINT, as shells have it. */
export const exitCodes = { ok: 0, failure: 1, usage: 2, interrupted: 130 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends the command with one line on stderr. `message` says what went wrong and what to do about it. */
export class CommandError extends Error {
  readonly exitCode: ExitCode;
  /** The gateway's ErrorCode, where the gateway said it. */
  readonly code: string | null;
  readonly retryAfterMs: number | null;

  constructor(
    message: string,
    options: {
      readonly exitCode?: ExitCode;
      readonly code?: string | null;
      readonly retryAfterMs?: number | null;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'CommandError';
    this.exitCode = options.exitCode ?? exitCodes.failure;
    this.code = options.code ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

/** The person pressed Ctrl-C, or the process was asked to end. */
export class Interrupted extends CommandError {
  constructor(message = 'interrupted') {
    super(message, { exitCode: exitCodes.interrupted });
    this.name = 'Interrupted';
  }
}

/** The command line itself is wrong. */
export function usageError(message: string): CommandError {
  return new CommandError(message, { exitCode: exitCodes.usage });
}
