import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { CallSite, PoolObserver } from '../../../core/contracts/pool-observer.ts';
import { callSeconds, tokensPerSecond, waitSeconds } from './buckets.ts';

const siteLabels = ['kind', 'route', 'provider', 'model'] as const;
const circuitStates = { CLOSED: 0, HALF_OPEN: 1, OPEN: 2 } as const;

/**
 * What the pool does, per route and target. `route` is empty where the caller named a model; routes and providers come from the
 * configuration, `modelLabel` bounds the models.
 */
export function poolMetrics(registry: Registry, modelLabel: (name: string) => string): PoolObserver {
  const registers = [registry];
  const calls = new Counter({
    name: 'sluice_provider_calls_total',
    help: 'Provider calls that ended, every attempt counted; outcome is OK or an error code.',
    labelNames: [...siteLabels, 'outcome'],
    registers,
  });
  const duration = new Histogram({
    name: 'sluice_provider_call_duration_seconds',
    help: 'From the request to the last byte of the answer.',
    labelNames: siteLabels,
    buckets: callSeconds,
    registers,
  });
  const firstToken = new Histogram({
    name: 'sluice_provider_first_token_seconds',
    help: 'From the request to the first token of a streamed answer.',
    labelNames: siteLabels,
    buckets: callSeconds,
    registers,
  });
  const speed = new Histogram({
    name: 'sluice_provider_output_tokens_per_second',
    help: 'Output tokens of a streamed answer by the time from its first to its last.',
    labelNames: siteLabels,
    buckets: tokensPerSecond,
    registers,
  });
  const queueWait = new Histogram({
    name: 'sluice_queue_wait_seconds',
    help: 'How long a provider call waited for its turn: concurrency and rate limits.',
    labelNames: siteLabels,
    buckets: waitSeconds,
    registers,
  });
  const retries = new Counter({
    name: 'sluice_retries_total',
    help: 'Further attempts at the same target, by the error before them.',
    labelNames: [...siteLabels, 'code'],
    registers,
  });
  const fallbacks = new Counter({
    name: 'sluice_fallbacks_total',
    help: 'Calls that went on at another target; after_first_token: its text replaced one that had begun.',
    labelNames: [...siteLabels, 'to_provider', 'to_model', 'code', 'after_first_token'],
    registers,
  });
  const circuit = new Gauge({
    name: 'sluice_circuit_state',
    help: 'Of a target: 0 closed, 1 half open, 2 open.',
    labelNames: ['provider', 'model'],
    registers,
  });
  const circuitOpened = new Counter({
    name: 'sluice_circuit_opened_total',
    help: 'How often the circuit of a target has opened.',
    labelNames: ['provider', 'model'],
    registers,
  });
  const cache = new Counter({
    name: 'sluice_cache_lookups_total',
    help: 'Looks into a cache; coalesced: joined a call that was under way.',
    labelNames: ['cache', 'model', 'result'],
    registers,
  });
  const tokens = new Counter({
    name: 'sluice_tokens_total',
    help: 'Tokens of provider calls; cached_input is a part of input.',
    labelNames: [...siteLabels, 'type'],
    registers,
  });
  const cost = new Counter({
    name: 'sluice_cost_usd_total',
    help: 'US dollars that provider calls cost, where the price is known.',
    labelNames: siteLabels,
    registers,
  });
  const unpriced = new Counter({
    name: 'sluice_unpriced_calls_total',
    help: 'Provider calls of models without a known price.',
    labelNames: siteLabels,
    registers,
  });

  const labelsOf = ({ kind, route, provider, model }: CallSite) => ({
    kind,
    route: route ?? '',
    provider,
    model: modelLabel(model),
  });
  return {
    queued: (site, waitMs) => queueWait.observe(labelsOf(site), waitMs / 1000),
    ended(site, { code, durationMs, firstTokenMs, outputTokens }) {
      const labels = labelsOf(site);
      calls.inc({ ...labels, outcome: code ?? 'OK' });
      duration.observe(labels, durationMs / 1000);
      if (firstTokenMs === null) return;
      firstToken.observe(labels, firstTokenMs / 1000);
      const streamedMs = durationMs - firstTokenMs;
      if (outputTokens !== null && outputTokens > 1 && streamedMs > 0) {
        speed.observe(labels, (outputTokens - 1) / (streamedMs / 1000));
      }
    },
    retrying: (site, code) => retries.inc({ ...labelsOf(site), code }),
    fellBack(from, to, code, afterFirstToken) {
      fallbacks.inc({
        ...labelsOf(from),
        to_provider: to.provider,
        to_model: modelLabel(to.model),
        code,
        after_first_token: String(afterFirstToken),
      });
    },
    circuit({ provider, model }, state) {
      const labels = { provider, model: modelLabel(model) };
      circuit.set(labels, circuitStates[state]);
      if (state === 'OPEN') circuitOpened.inc(labels);
    },
    cache: (kind, model, isHit) => cache.inc({ cache: kind, model: modelLabel(model), result: isHit ? 'hit' : 'miss' }),
    spent(site, usage) {
      const labels = labelsOf(site);
      tokens.inc({ ...labels, type: 'input' }, usage.inputTokens);
      tokens.inc({ ...labels, type: 'cached_input' }, usage.cachedInputTokens);
      tokens.inc({ ...labels, type: 'output' }, usage.outputTokens);
      if (usage.costUsd === null) unpriced.inc(labels, usage.calls);
      else cost.inc(labels, usage.costUsd);
    },
  };
}
