import { afterAll, afterEach, beforeAll } from 'vitest';
import type { RunEvent } from '../../../core/contracts/run-event.ts';
import type { RunStatus } from '../../../core/contracts/run-store.ts';
import { type Cluster, type Instance, openCluster } from './instances.ts';
import { keyOf } from './rig.ts';

/** A cluster for all tests of a file. */
export interface FileCluster {
  /** Of the test that calls it, and drained with it: nobody else takes its runs over. */
  start(options: Parameters<Cluster['start']>[0]): Promise<Instance>;
  readonly parked: Cluster['parked'];
  eventsOf(runId: string): Promise<RunEvent[]>;
  statusOf(runId: string): Promise<RunStatus | undefined>;
}

/** Opened before the first test of the file that calls it, and closed after the last. */
export function useCluster(): FileCluster {
  let cluster: Cluster;
  const started: Instance[] = [];
  beforeAll(async () => {
    cluster = await openCluster();
  });
  afterEach(async () => {
    for (const instance of started.splice(0)) {
      instance.wake();
      await instance.runs.drain(0);
    }
  });
  afterAll(() => cluster[Symbol.asyncDispose]());
  return {
    async start(options) {
      const instance = await cluster.start(options);
      started.push(instance);
      return instance;
    },
    get parked() {
      return cluster.parked;
    },
    eventsOf: async (runId) => (await cluster.log.read(keyOf(runId), 0, 1_000)).events.map(({ event }) => event),
    statusOf: async (runId) => (await cluster.store.byRunIds('tenant', [runId]))[0]?.status,
  };
}
