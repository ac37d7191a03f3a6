import type { RunKey } from './event-log.ts';

export type RunSignal =
  /** Somebody wants it cancelled; the store has it too. */
  | { readonly type: 'cancel'; readonly key: RunKey; readonly reason: string }
  /** Runs were given back: whoever has room takes them over without waiting for its next look. */
  | { readonly type: 'released' }
  /** Somebody has answered a call of it: whoever executes it looks at once. */
  | { readonly type: 'answered'; readonly key: RunKey }
  /** The API key of this prefix was created or revoked: whoever remembers it looks anew. */
  | { readonly type: 'key-changed'; readonly prefix: string };

/**
 * What instances tell each other of runs, and of the keys that start them. Only haste: a signal may be lost, and whoever listens finds out by itself later.
 */
export interface RunSignals {
  /** To every other instance. Never throws, and waits for nothing. */
  send(signal: RunSignal): void;
  /** Hears what other instances send, until it is disposed. */
  listen(listener: (signal: RunSignal) => void): Disposable;
  /** This instance follows the run, until it is disposed; others see it within a moment, and for seconds after it died. */
  follow(key: RunKey): Disposable;
  /** Whether another instance follows the run; true as well when that cannot be known now. */
  isFollowedElsewhere(key: RunKey): Promise<boolean>;
  close(): Promise<void>;
}
