import type { PoolObserver } from '../../../core/contracts/pool-observer.ts';
import type { RunObserver } from '../../../core/contracts/run-observer.ts';
import { reportScope } from './operation-report.ts';

/** Tells the reports of operations what no meter counts: hits of caches, and waits. */
export const reportedPool: Pick<PoolObserver, 'queued' | 'cache'> = {
  queued(_site, waitMs) {
    const tally = reportScope.getStore();
    if (tally !== undefined) tally.queueMs += waitMs;
  },
  cache(_kind, _model, isHit) {
    const tally = reportScope.getStore();
    if (tally !== undefined && isHit) tally.cacheHits += 1;
  },
};

/** A run has a meter of its own: the path that started it hears of it when it has ended. */
export const reportedRuns: RunObserver = {
  began() {},
  ended(_run, { usage }) {
    reportScope.getStore()?.meter.addUsage(usage);
  },
};
