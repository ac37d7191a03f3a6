import type { RunSignals } from '../../core/contracts/run-signals.ts';

const nothing: Disposable = { [Symbol.dispose]: () => {} };

/** For an instance that is alone: nobody hears it, and nobody else follows its runs. */
export function memoryRunSignals(): RunSignals {
  return {
    send: () => {},
    listen: () => nothing,
    follow: () => nothing,
    isFollowedElsewhere: async () => false,
    close: async () => {},
  };
}
