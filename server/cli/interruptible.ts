import process from 'node:process';
import { exitCodes, Interrupted } from './command-error.ts';

/** One keypress can arrive twice: from the terminal, and forwarded by bin/sluice.js. */
const samePressMs = 200;

/**
 * Runs `work` with a signal that the first SIGINT or SIGTERM aborts (reason: Interrupted), so that it can clean up.
 * The second one exits at once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let firstAt = 0;
  const interrupt = () => {
    if (!controller.signal.aborted) {
      firstAt = performance.now();
      controller.abort(new Interrupted());
    } else if (performance.now() - firstAt > samePressMs) {
      process.exit(exitCodes.interrupted);
    }
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}
