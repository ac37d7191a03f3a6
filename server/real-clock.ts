import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../core/contracts/clock.ts';

export const realClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    // Every stream sleeps so between two of its writes.
    if (signal === undefined) return new Promise((resolve) => setTimeout(resolve, ms));
    signal.throwIfAborted();
    await delay(ms, undefined, { signal }).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : error;
    });
  },
};
