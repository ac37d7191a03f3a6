import type { ErrorCode } from './gateway-error.ts';
import type { Usage } from './usage.ts';

/** Where a provider call goes; `route` is the name that the caller gave, when it names a route. */
export interface CallSite {
  readonly route: string | null;
  readonly provider: string;
  readonly model: string;
  readonly kind: 'chat' | 'embedding';
}

/** One provider call that has ended. */
export interface CallOutcome {
  /** Null: it succeeded. */
  readonly code: ErrorCode | null;
  readonly durationMs: number;
  /** Null: not streamed, or nothing came. */
  readonly firstTokenMs: number | null;
  /** Null: it was not known when the call ended. */
  readonly outputTokens: number | null;
  /** 1 for the first try of this target. */
  readonly attempt: number;
}

export type CacheKind = 'coalesced' | 'exact' | 'semantic' | 'embedding-memory' | 'embedding-database';

/**
 * Hears what the pool does, as it happens: for metrics and traces. Every method is cheap, synchronous and never throws; none is
 * called once a token.
 */
export interface PoolObserver {
  /** A call got its turn after so long in the queue of its target, its rate limits included. */
  queued(site: CallSite, waitMs: number): void;
  ended(site: CallSite, outcome: CallOutcome): void;
  /** A further attempt at the same target will be made. */
  retrying(site: CallSite, code: ErrorCode, afterMs: number): void;
  /** The next target of the route is tried; `afterFirstToken`: its text replaces one that had begun. */
  fellBack(from: CallSite, to: CallSite, code: ErrorCode, afterFirstToken: boolean): void;
  circuit(site: Pick<CallSite, 'provider' | 'model'>, state: 'CLOSED' | 'HALF_OPEN' | 'OPEN'): void;
  cache(kind: CacheKind, model: string, isHit: boolean): void;
  spent(site: CallSite, usage: Usage): void;
}
