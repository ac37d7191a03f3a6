import type { CheckpointStore } from '../contracts/checkpoint-store.ts';
import type { Clock } from '../contracts/clock.ts';
import type { EventLog } from '../contracts/event-log.ts';
import type { Logger } from '../contracts/logger.ts';
import type { ParkedRuns } from '../contracts/parked-runs.ts';
import type { RunKind } from '../contracts/run-event.ts';
import type { RunObserver } from '../contracts/run-observer.ts';
import type { RunSignals } from '../contracts/run-signals.ts';
import type { RunSlots } from '../contracts/run-slots.ts';
import type { StoredRunStore, UnstoredRunStore } from '../contracts/run-store.ts';
import type { Executor } from './live-run.ts';

export interface MembershipOptions {
  /** Its log is its own: runs cannot be followed from, or go on at, another instance. */
  readonly alone: boolean;
  /** Whether it is known that no other instance lives. */
  readonly others: 'unknown' | 'dead';
}

export interface RunLimits {
  /** Runs that execute at the same time in this process; more wait in a queue. */
  readonly maxRuns: number;
  readonly maxQueuedRuns: number;
  readonly unwatchedGraceMs: number;
}

export interface RunParts {
  /** Of this process: unique, and new at every start. */
  readonly instance: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly log: EventLog;
  /** The truth of runs that are stored, and the memory of those that are not. */
  readonly stored: StoredRunStore;
  readonly unstored: UnstoredRunStore;
  /** Of the runs that are stored. */
  readonly checkpoints: CheckpointStore;
  readonly parked: ParkedRuns;
  readonly signals: RunSignals;
  /** By the kind of run that each executes. */
  readonly executors: Readonly<Partial<Record<RunKind, Executor>>>;
  readonly limits: RunLimits;
  /** How many runs each caller may have at once; left out: as many as there is room for. */
  readonly slots?: RunSlots | undefined;
  /** How long this instance may be silent before others take its runs over, and how often a run may be lost that way. */
  readonly leaseMs: number;
  readonly maxAttempts: number;
  /** How long a run may wait for an answer; then it has failed. */
  readonly parkedTimeoutMs: number;
  readonly membership: MembershipOptions;
  readonly observer?: RunObserver | undefined;
  /** Traces hold what was asked and answered. Default: they do not. */
  readonly recordContent?: boolean | undefined;
  /** How late the event loop runs: deltas are gathered for longer when it does. */
  readonly eventLoopLagMs?: () => number;
}
