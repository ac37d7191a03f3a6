import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { OperationObserver } from '../operations/operation.ts';
import { callSeconds } from './buckets.ts';

/** `named`: the operation names that are worth a label of their own; clients choose names, so all others are "other". */
export function operationMetrics(registry: Registry, named: readonly string[]): OperationObserver {
  const registers = [registry];
  const names = new Set(named);
  const labelOf = (name: string | null) => (name !== null && names.has(name) ? name : 'other');
  const operations = new Counter({
    name: 'sluice_operations_total',
    help: 'GraphQL operations and AG-UI requests that ended; outcome is OK or the code of the first error.',
    labelNames: ['kind', 'transport', 'operation', 'outcome'],
    registers,
  });
  const duration = new Histogram({
    name: 'sluice_operation_duration_seconds',
    help: 'From the arrival of an operation to the end of its answer; of a subscription, as long as it was held.',
    labelNames: ['kind', 'transport', 'operation'],
    buckets: callSeconds,
    registers,
  });
  const inFlight = new Gauge({
    name: 'sluice_operations_in_flight',
    help: 'Operations under way.',
    labelNames: ['transport'],
    registers,
  });
  const streams = new Gauge({
    name: 'sluice_streams_held',
    help: 'Subscriptions and AG-UI streams that are open.',
    labelNames: ['transport'],
    registers,
  });
  for (const transport of ['http', 'websocket', 'ag-ui', 'mcp'] as const) {
    inFlight.set({ transport }, 0);
    streams.set({ transport }, 0);
  }
  return {
    began: ({ transport }) => inFlight.inc({ transport }),
    streams: ({ transport }) => streams.inc({ transport }),
    ended({ kind, transport, name, code, isStream }, durationMs) {
      const operation = labelOf(name);
      inFlight.dec({ transport });
      if (isStream) streams.dec({ transport });
      operations.inc({ kind, transport, operation, outcome: code ?? 'OK' });
      duration.observe({ kind, transport, operation }, durationMs / 1000);
    },
  };
}
