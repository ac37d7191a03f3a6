import DataLoader from 'dataloader';
import type { RunRecord } from '../core/contracts/run-store.ts';
import type { Runs } from '../core/runs/runs.ts';
import { inKeyOrder, type LoaderScope } from './scope.ts';

export type RunLoader = DataLoader<string, RunRecord>;

/** Runs by runId, stored or not: one statement for all that a request asks for at once. */
export function runLoader(runs: Runs, { tenant, signal }: LoaderScope): RunLoader {
  return new DataLoader(
    async (runIds) => inKeyOrder(runIds, await runs.byRunIds(tenant, runIds, signal), (run) => run.runId, 'run'),
    // A run changes while a request lives: the next tick must see its new status.
    { name: 'runLoader', maxBatchSize: 500, cache: false },
  );
}
