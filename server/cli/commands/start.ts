import { flushCompileCache } from 'node:module';
import process from 'node:process';
import { GatewayError } from '../../../core/contracts/gateway-error.ts';
import type { CommandContext } from '../command-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';

/**
 * Runs the gateway until SIGINT or SIGTERM, then drains it. A second signal exits at once.
 * Signals are caught before the gateway opens its data directory, so that an early one still closes it in order.
 */
export async function start({ stdout, env }: CommandContext): Promise<void> {
  const stopped = Promise.withResolvers<void>();
  let firstAt: number | null = null;
  const stop = () => {
    // bin/sluice.js and the terminal may both deliver one Ctrl-C.
    if (firstAt !== null && performance.now() - firstAt > 200) process.exit(exitCodes.interrupted);
    firstAt ??= performance.now();
    stopped.resolve();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    const gateway = await startGateway(env);
    stdout.write(`Sluice listens at ${gateway.url} (Ctrl-C stops it)\n`);
    // By itself Node keeps what it has compiled when a process ends in order: after a crash the next start would begin from nothing.
    flushCompileCache();
    await stopped.promise;
    await gateway.close();
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

async function startGateway(environment: NodeJS.ProcessEnv) {
  const { start: startServer } = await import('../../main.ts');
  try {
    return await startServer(environment);
  } catch (error) {
    throw whyNotStarted(error);
  }
}

/** All of the message, also when it has several lines: a configuration tells every fault at once. */
function whyNotStarted(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if ('code' in error && error.code === 'EADDRINUSE') {
    return new CommandError(`${error.message}: another program listens there; stop it, or set PORT to a free port`, {
      cause: error,
    });
  }
  const issues = error instanceof GatewayError ? (error.details.issues ?? []) : [];
  return new CommandError([error.message, ...issues.map((issue) => `  ${issue}`)].join('\n'), { cause: error });
}
