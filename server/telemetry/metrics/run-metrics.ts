import { Counter, Histogram, type Registry } from 'prom-client';
import type { RunObserver } from '../../../core/contracts/run-observer.ts';
import { callSeconds, waitSeconds } from './buckets.ts';

export function runMetrics(registry: Registry): RunObserver {
  const registers = [registry];
  const runs = new Counter({
    name: 'sluice_runs_total',
    help: 'Runs that ended here, by outcome: OK, an error code, or LEFT for one that goes on at another instance.',
    labelNames: ['kind', 'outcome'],
    registers,
  });
  const duration = new Histogram({
    name: 'sluice_run_duration_seconds',
    help: 'From the moment that the instance had the run to its end.',
    labelNames: ['kind'],
    buckets: callSeconds,
    registers,
  });
  const firstToken = new Histogram({
    name: 'sluice_run_first_token_seconds',
    help: 'Until the first text of the reply: what a user waits for.',
    labelNames: ['kind'],
    buckets: callSeconds,
    registers,
  });
  const wait = new Histogram({
    name: 'sluice_run_wait_seconds',
    help: 'How long a run waited for its slot (limits.maxRuns).',
    labelNames: ['kind'],
    buckets: waitSeconds,
    registers,
  });
  const takenOver = new Counter({
    name: 'sluice_runs_taken_over_total',
    help: 'Runs that another instance had left, and that went on here.',
    labelNames: ['kind'],
    registers,
  });
  return {
    began({ kind, attempt }, waitMs) {
      wait.observe({ kind }, waitMs / 1000);
      if (attempt > 1) takenOver.inc({ kind });
    },
    ended({ kind }, { status, code, durationMs, firstTokenMs }) {
      runs.inc({ kind, outcome: status === 'SUCCEEDED' ? 'OK' : (code ?? status) });
      if (status === 'LEFT') return;
      duration.observe({ kind }, durationMs / 1000);
      if (firstTokenMs !== null) firstToken.observe({ kind }, firstTokenMs / 1000);
    },
  };
}
