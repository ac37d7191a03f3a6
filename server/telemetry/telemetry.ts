import { Registry } from 'prom-client';
import type { StatementObserver } from '../../adapters/postgres/database.ts';
import type { Logger } from '../../core/contracts/logger.ts';
import type { PoolObserver } from '../../core/contracts/pool-observer.ts';
import type { RunObserver } from '../../core/contracts/run-observer.ts';
import type { Config } from '../config/config-schema.ts';
import { version } from '../version.ts';
import { EventLoopDelay } from './event-loop-delay.ts';
import { operationLog } from './logs/operation-log.ts';
import { runLog } from './logs/run-log.ts';
import { configuredModels } from './metrics/configured-models.ts';
import { databaseMetrics } from './metrics/database-metrics.ts';
import { type CountAnswer, httpMetrics } from './metrics/http-metrics.ts';
import { modelLabels } from './metrics/model-label.ts';
import { operationMetrics } from './metrics/operation-metrics.ts';
import { poolMetrics } from './metrics/pool-metrics.ts';
import { processMetrics } from './metrics/process-metrics.ts';
import { runMetrics } from './metrics/run-metrics.ts';
import type { OperationObserver } from './operations/operation.ts';
import { reportedPool, reportedRuns } from './report/report-observers.ts';

/** What hears of everything that the gateway does. */
export interface Telemetry extends Disposable {
  readonly registry: Registry;
  readonly eventLoopDelay: EventLoopDelay;
  readonly countAnswer: CountAnswer;
  readonly operations: readonly OperationObserver[];
  readonly runs: RunObserver;
  readonly pool: PoolObserver;
  readonly statements: StatementObserver;
}

export function createTelemetry(config: Config, logger: Logger): Telemetry {
  const { metrics, telemetry } = config;
  const registry = new Registry();
  const eventLoopDelay = new EventLoopDelay();
  processMetrics(registry, version, eventLoopDelay);
  const { operationLog: operationLevel, runLog: runLevel } = telemetry;
  return {
    registry,
    eventLoopDelay,
    countAnswer: httpMetrics(registry),
    operations: [
      operationMetrics(registry, metrics.operationNames),
      ...(operationLevel === 'off' ? [] : [operationLog(logger, operationLevel)]),
    ],
    runs: eachOf([runMetrics(registry), reportedRuns, ...(runLevel === 'off' ? [] : [runLog(logger, runLevel)])]),
    pool: alsoReported(poolMetrics(registry, modelLabels(configuredModels(config)))),
    statements: databaseMetrics(registry),
    [Symbol.dispose]: () => eventLoopDelay[Symbol.dispose](),
  };
}

function alsoReported(pool: PoolObserver): PoolObserver {
  return {
    ...pool,
    queued(site, waitMs) {
      pool.queued(site, waitMs);
      reportedPool.queued(site, waitMs);
    },
    cache(kind, model, isHit) {
      pool.cache(kind, model, isHit);
      reportedPool.cache(kind, model, isHit);
    },
  };
}

function eachOf(observers: readonly RunObserver[]): RunObserver {
  return {
    began(run, waitMs) {
      for (const observer of observers) observer.began(run, waitMs);
    },
    ended(run, end) {
      for (const observer of observers) observer.ended(run, end);
    },
  };
}
