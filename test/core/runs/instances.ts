import { randomUUID } from 'node:crypto';
import { memoryEventLog } from '../../../adapters/memory/event-log.ts';
import { memoryRunSignals } from '../../../adapters/memory/run-signals.ts';
import { memoryRunStore } from '../../../adapters/memory/run-store.ts';
import { postgresCheckpointStore } from '../../../adapters/postgres/checkpoint-store.ts';
import type { Database } from '../../../adapters/postgres/database.ts';
import { postgresParkedRuns } from '../../../adapters/postgres/parked-runs.ts';
import { postgresRunStore } from '../../../adapters/postgres/run-store.ts';
import type { CheckpointStore } from '../../../core/contracts/checkpoint-store.ts';
import type { EventLog } from '../../../core/contracts/event-log.ts';
import { GatewayError } from '../../../core/contracts/gateway-error.ts';
import type { ParkedRuns } from '../../../core/contracts/parked-runs.ts';
import type { StoredRunStore } from '../../../core/contracts/run-store.ts';
import type { Executor } from '../../../core/runs/live-run.ts';
import { Runs } from '../../../core/runs/runs.ts';
import { openTestDatabase } from '../../helpers/test-database.ts';
import { silent, timerClock } from './rig.ts';

/** One database and one log, and the instances that share them. */
export interface Cluster extends AsyncDisposable {
  readonly store: StoredRunStore;
  readonly log: EventLog;
  readonly parked: ParkedRuns;
  start(options: {
    readonly executor: Executor;
    readonly maxAttempts?: number;
    readonly maxRuns?: number;
    readonly parkedTimeoutMs?: number;
  }): Promise<Instance>;
}

export interface Instance {
  readonly runs: Runs;
  /** From now on nothing of it reaches the database, until it wakes: it is stopped, or cut off. */
  sleep(): void;
  wake(): void;
  /** Everything that was refused to it after it had slept. */
  readonly refused: { updates: number; appends: number };
}

const leaseMs = 400;

interface Limits {
  readonly maxAttempts: number;
  readonly maxRuns: number;
  readonly parkedTimeoutMs: number;
}

/** On a database of its own, which is closed with it; or on one that its caller keeps. */
export async function openCluster(shared?: Database): Promise<Cluster> {
  const opened = new AsyncDisposableStack();
  const database = shared ?? opened.use(await openTestDatabase());
  const store = postgresRunStore(database);
  const checkpoints = postgresCheckpointStore(database);
  const parked = postgresParkedRuns(database);
  const log = memoryEventLog({ clock: timerClock, retentionMs: 3_600_000, maxEventsPerRun: 10_000 });
  const instances: Instance[] = [];
  return {
    store,
    parked,
    log,
    async start({ executor, maxAttempts = 3, maxRuns = 100, parkedTimeoutMs = 86_400_000 }) {
      const instance = startInstance({ store, checkpoints, parked, log }, executor, {
        maxAttempts,
        maxRuns,
        parkedTimeoutMs,
      });
      instances.push(instance);
      await instance.runs.enter();
      return instance;
    },
    async [Symbol.asyncDispose]() {
      for (const instance of instances) instance.wake();
      await Promise.all(instances.map(({ runs }) => runs.drain(0)));
      await log.close();
      await opened.disposeAsync();
    },
  };
}

function startInstance(
  {
    store: shared,
    checkpoints,
    parked,
    log,
  }: {
    readonly store: StoredRunStore;
    readonly checkpoints: CheckpointStore;
    readonly parked: ParkedRuns;
    readonly log: EventLog;
  },
  executor: Executor,
  { maxAttempts, maxRuns, parkedTimeoutMs }: Limits,
): Instance {
  let isAsleep = false;
  const refused = { updates: 0, appends: 0 };
  const reach = <T>(work: () => Promise<T>): Promise<T> => {
    if (isAsleep) return Promise.reject(new GatewayError('INTERNAL', 'cut off', { retryable: true }));
    return work();
  };
  const stored: StoredRunStore = {
    ...shared,
    heartbeat: (lease) => reach(() => shared.heartbeat(lease)),
    takeOver: (...args) => reach(() => shared.takeOver(...args)),
    update: async (...args) => {
      const isWritten = await reach(() => shared.update(...args));
      if (!isWritten) refused.updates += 1;
      return isWritten;
    },
  };
  const ownLog: EventLog = {
    ...log,
    append: (...args) =>
      log.append(...args).catch((error: unknown) => {
        refused.appends += 1;
        throw error;
      }),
  };
  const runs = new Runs({
    instance: randomUUID(),
    clock: timerClock,
    logger: silent,
    log: ownLog,
    stored,
    checkpoints: { ...checkpoints, save: (...args) => reach(() => checkpoints.save(...args)) },
    parked,
    parkedTimeoutMs,
    unstored: memoryRunStore({ clock: timerClock, retentionMs: 3_600_000, maxRuns: 1_000 }),
    signals: memoryRunSignals(),
    executors: { CHAT: executor, AGENT: executor, INGEST: executor },
    limits: { maxRuns, maxQueuedRuns: 100, unwatchedGraceMs: 100 },
    leaseMs,
    maxAttempts,
    membership: { alone: false, others: 'unknown' },
  });
  return {
    runs,
    refused,
    sleep: () => {
      isAsleep = true;
    },
    wake: () => {
      isAsleep = false;
    },
  };
}
