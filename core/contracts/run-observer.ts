import type { RunKey } from './event-log.ts';
import type { ErrorCode } from './gateway-error.ts';
import type { RunKind } from './run-event.ts';
import type { RunStatus } from './run-store.ts';
import type { Usage } from './usage.ts';

/** A run as its observer knows it. */
export interface ObservedRun extends RunKey {
  readonly kind: RunKind;
  readonly stored: boolean;
  /** More than 1: it was taken over from another instance. */
  readonly attempt: number;
}

/** How a run ended, or why it left this instance without an end. */
export interface RunEnd {
  readonly status: Extract<RunStatus, 'SUCCEEDED' | 'FAILED' | 'CANCELLED'> | 'LEFT';
  /** Null: it succeeded, or goes on elsewhere. */
  readonly code: ErrorCode | null;
  /** The model that wrote the reply; null where there is none. */
  readonly model: string | null;
  /** Of all attempts. */
  readonly usage: Usage;
  /** From the moment that this instance had the run, its wait for a slot included. */
  readonly durationMs: number;
  /** Until the first text of the reply, from the same moment; null: none was written. */
  readonly firstTokenMs: number | null;
}

/**
 * Hears of the runs that this instance executes: for metrics and the log. Every method is cheap, synchronous and never throws; none
 * is called once a token.
 */
export interface RunObserver {
  /** It got its slot after so long. */
  began(run: ObservedRun, waitMs: number): void;
  /** Once for each run that began, and for those that were ended while they waited. */
  ended(run: ObservedRun, end: RunEnd): void;
}
