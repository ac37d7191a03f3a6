import { Histogram, type Registry } from 'prom-client';
import type { StatementObserver } from '../../../adapters/postgres/database.ts';
import { statementSeconds } from './buckets.ts';

/** Per named statement; the names are those of the code. */
export function databaseMetrics(registry: Registry): StatementObserver {
  const duration = new Histogram({
    name: 'sluice_database_statement_duration_seconds',
    help: 'SQL statements by name, from their sending to their answer; the wait for a connection is not in it.',
    labelNames: ['statement', 'outcome'],
    buckets: statementSeconds,
    registers: [registry],
  });
  return (statement, durationMs, isFailed) =>
    duration.observe({ statement, outcome: isFailed ? 'failed' : 'ok' }, durationMs / 1000);
}
