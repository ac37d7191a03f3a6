import { setImmediate as turn } from 'node:timers/promises';

/**
 * Waits until what is written now gets a later time than what was written before: PGlite's clock shows whole
 * milliseconds, and rows of the same one are listed in the order of their ids.
 */
export async function nextMillisecond(): Promise<void> {
  const before = Date.now();
  while (Date.now() === before) await turn();
}
