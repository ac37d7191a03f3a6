import { type MemoryEventLogOptions, memoryEventLog } from '../../../adapters/memory/event-log.ts';
import { memoryRunSignals } from '../../../adapters/memory/run-signals.ts';
import { memoryRunStore } from '../../../adapters/memory/run-store.ts';
import type { CheckpointStore } from '../../../core/contracts/checkpoint-store.ts';
import type { Clock } from '../../../core/contracts/clock.ts';
import type { EventLog } from '../../../core/contracts/event-log.ts';
import { GatewayError } from '../../../core/contracts/gateway-error.ts';
import type { Logger } from '../../../core/contracts/logger.ts';
import type { ParkedRuns } from '../../../core/contracts/parked-runs.ts';
import type {
  NewRun,
  RunRecord,
  RunStore,
  StoredRunStore,
  UnstoredRunStore,
  UnwatchedPolicy,
} from '../../../core/contracts/run-store.ts';
import type { Executor } from '../../../core/runs/live-run.ts';
import type { RunLimits } from '../../../core/runs/run-parts.ts';
import { Runs } from '../../../core/runs/runs.ts';

/** Real time, or vitest's: whichever stands behind setTimeout. */
export const timerClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const leave = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', leave);
        resolve();
      }, ms);
      signal?.addEventListener('abort', leave, { once: true });
    }),
};

export interface RigOptions {
  readonly executor: Executor;
  readonly limits?: Partial<RunLimits>;
  readonly log?: Partial<MemoryEventLogOptions>;
  /** How long a claim takes until it is in the store, and from there until its caller hears of it: a database far away. */
  readonly claimMs?: (runId: string) => readonly [before: number, after: number];
  readonly updateMs?: number;
}

export interface Rig {
  readonly runs: Runs;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly stored: StoredRunStore;
  readonly unstored: UnstoredRunStore;
}

export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

/** Checkpoints that nobody will read: there is one attempt. */
export const forgetful: CheckpointStore = { save: async () => true, read: async () => new Map() };

/** Nothing of it is stored, so nothing of it can wait. */
export const neverParked: ParkedRuns = {
  ask: async () => false,
  calls: async () => [],
  unanswered: async () => [],
  answer: async () => 'unknown',
  park: async () => 'lost',
  expire: async () => 0,
};

/** `Runs` over the real stores in memory, whose answers may be made to take their time, and a scripted executor. */
export function rigOf(options: RigOptions): Rig {
  const { executor, claimMs = () => [0, 0], updateMs = 0 } = options;
  const clock = timerClock;
  const log = memoryEventLog({ clock, retentionMs: 3_600_000, maxEventsPerRun: 10_000, ...options.log });
  const keep = { clock, retentionMs: options.log?.retentionMs ?? 3_600_000, maxRuns: 10_000 };
  const stored = slow(storedInMemory(memoryRunStore(keep)), claimMs, updateMs);
  const unstored = memoryRunStore(keep);
  const runs = new Runs({
    clock,
    logger: silent,
    log,
    stored,
    unstored,
    checkpoints: forgetful,
    parked: neverParked,
    parkedTimeoutMs: 86_400_000,
    instance: 'instance',
    signals: memoryRunSignals(),
    leaseMs: 10_000,
    maxAttempts: 3,
    membership: { alone: true, others: 'dead' },
    executors: { CHAT: executor, AGENT: executor, INGEST: executor },
    limits: { maxRuns: 100, maxQueuedRuns: 100, unwatchedGraceMs: 100, ...options.limits },
  });
  return { runs, clock, log, stored, unstored };
}

export interface ChatStart {
  readonly runId: string;
  readonly input?: string;
  readonly tenant?: string;
  readonly stored?: boolean;
  readonly policy?: UnwatchedPolicy;
  readonly timeoutMs?: number | null;
}

export function startOf(runs: Runs, start: ChatStart): Promise<RunRecord> {
  const { stored = true } = start;
  return runs.start({ run: newRunOf(start), stored, turn: null });
}

export function newRunOf(start: ChatStart): NewRun {
  const { runId, input = 'input', tenant = 'tenant', policy = 'FINISH', timeoutMs = null } = start;
  const detail = { kind: 'CHAT', conversationId: null, questionId: null, replyId: `reply of ${runId}` } as const;
  const asked = { whenUnwatched: policy, timeoutMs };
  return { tenant, runId, inputHash: input, keyId: null, input, ...asked, user: null, metadata: {}, detail };
}

export const keyOf = (runId: string, tenant = 'tenant') => ({ tenant, runId });

/** The code that a promise fails with, or null when it succeeds. Anything but a GatewayError is thrown on. */
export async function codeOf(work: Promise<unknown>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (error instanceof GatewayError) return error.code;
    throw error;
  }
}

export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Rejects with the signal's reason once it fires: an executor that works until it is stopped. */
export function untilStopped(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** The memory of unstored runs, taken for the database of one instance. */
function storedInMemory(store: RunStore): StoredRunStore {
  const mark = (run: RunRecord): RunRecord => ({ ...run, stored: true });
  return {
    ...store,
    claim: async (...args) => {
      const claimed = await store.claim(...args);
      return { ...claimed, run: mark(claimed.run) };
    },
    byRunIds: async (...args) => (await store.byRunIds(...args)).map(mark),
    enter: async () => null,
    takeOver: async () => ({ taken: [], failed: [] }),
    release: async () => false,
    underWay: async () => [],
    purge: async () => [],
    leave: async () => {},
  };
}

function slow(store: StoredRunStore, claimMs: NonNullable<RigOptions['claimMs']>, updateMs: number): StoredRunStore {
  return {
    ...store,
    claim: async (run, turn, instance) => {
      const [before, after] = claimMs(run.runId);
      if (before > 0) await timerClock.sleep(before);
      const claimed = await store.claim(run, turn, instance);
      if (after > 0) await timerClock.sleep(after);
      return claimed;
    },
    update: async (...args) => {
      if (updateMs > 0) await timerClock.sleep(updateMs);
      return store.update(...args);
    },
  };
}
