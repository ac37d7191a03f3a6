import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../server/config/config.ts';
import { createTelemetry } from '../../server/telemetry/telemetry.ts';
import { silent } from '../core/runs/rig.ts';
import { startGatewayWithVendor } from '../helpers/gateway.ts';
import { type Exported, parseMetrics, readMetrics } from '../helpers/metrics.ts';

const read = (name: string): string =>
  readFileSync(new URL(`../../docs/observability/${name}`, import.meta.url), 'utf8');

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}
const dashboard: { readonly panels: readonly Panel[] } = JSON.parse(read('dashboard.json'));
const alerts: {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
} = parse(read('alerts.yaml'));

const queries = [
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({
      title,
      expr,
      shown: [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, name = '']) => name),
    })),
  ),
  ...alerts.groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => ({ title: alert, expr, shown: [] }))),
];

/** Prometheus's own, on every series. */
const added = ['instance', 'job', 'le'];
const functions = new Set('histogram_quantile sum max min by rate increase min_over_time'.split(' '));

let exported: Exported;
/** What comes only of providers that fail, or of a day's traffic: the same observers, each told of everything once. */
let told: Exported;
const opened = new AsyncDisposableStack();
beforeAll(async () => {
  const { gateway } = opened.use(await startGatewayWithVendor());
  await gateway.request('{ health { ok } }');
  exported = await readMetrics(gateway.url);
  told = await everythingTold();
});
afterAll(() => opened.disposeAsync());

async function everythingTold(): Promise<Exported> {
  using telemetry = createTelemetry(await loadConfig({}), silent);
  const site = { route: 'fast', provider: 'openai', model: 'gpt-4.1-mini', kind: 'chat' as const };
  const usage = { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1, calls: 1, estimated: false };
  const { pool, runs } = telemetry;
  pool.queued(site, 1);
  pool.ended(site, { code: null, durationMs: 20, firstTokenMs: 10, outputTokens: 5, attempt: 1 });
  pool.retrying(site, 'UPSTREAM_UNAVAILABLE', 1);
  pool.fellBack(site, site, 'UPSTREAM_UNAVAILABLE', false);
  pool.circuit(site, 'OPEN');
  pool.cache('exact', site.model, true);
  pool.spent(site, { ...usage, costUsd: 1 });
  pool.spent(site, { ...usage, costUsd: null });
  const run = { tenant: 't', runId: 'r', kind: 'CHAT' as const, stored: true, attempt: 2 };
  runs.began(run, 1);
  const end = { status: 'SUCCEEDED' as const, code: null, model: null, durationMs: 1, firstTokenMs: 1 };
  runs.ended(run, { ...end, usage: { ...usage, costUsd: 1 } });
  return parseMetrics(await telemetry.registry.metrics());
}

/** Each metric that a query reads, with the labels that it selects by. */
function metricsOf(expr: string): { readonly name: string; readonly labels: readonly string[] }[] {
  return [...expr.matchAll(/\b([a-z]\w*)(\{[^}]*\})?/g)].flatMap(([, name = '', selector = '']) => {
    if (!/^(?:sluice|process|nodejs)_/.test(name) || functions.has(name)) return [];
    return [{ name, labels: [...selector.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].map(([, label = '']) => label) }];
  });
}

describe('the dashboard and the alerts', () => {
  it.each(queries)('read what the process exports: $title, $expr', ({ expr, shown }) => {
    const metrics = metricsOf(expr);
    if (!expr.startsWith('up{')) expect(metrics).not.toEqual([]);
    const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, names = '']) => names.split(/, */));
    for (const { name, labels } of metrics) {
      const base = name.replace(/_bucket$/, '');
      expect([...exported.labels.keys()]).toContain(base);
      const declared = [...(exported.labels.get(base) ?? []), ...(told.labels.get(base) ?? []), ...added];
      expect(declared).toEqual(expect.arrayContaining([...labels]));
      expect(declared).toEqual(expect.arrayContaining(metrics.length === 1 ? [...grouped, ...shown] : grouped));
    }
  });

  it('show every metric that the gateway has of its own', () => {
    const all = queries.map(({ expr }) => expr).join('\n');
    const unseen = [...exported.labels.keys()].filter((name) => name.startsWith('sluice_') && !all.includes(name));
    expect(unseen).toEqual(['sluice_build_info']);
  });
});
