import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configFile } from '../../helpers/config-file.ts';
import { startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import { readMetrics } from '../../helpers/metrics.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { startEdge } from '../edge.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;
beforeAll(async () => {
  const file = opened.use(await configFile({ metrics: { operationNames: ['Known'] } }));
  ({ gateway, vendor } = opened.use(await startGatewayWithVendor({ environment: file.environment })));
});
afterAll(() => opened.disposeAsync());

const chat = `mutation { startChat(input: { message: "hello", store: false }) { run { finished { status } } } }`;

describe('the metrics of operations', () => {
  it('count by kind, transport and outcome, and leave names to those that are configured', async () => {
    await gateway.request('query Known { health { ok } }');
    await gateway.request('query Unheard { health { ok } }');
    await gateway.request('{ nothing }');
    await gateway.request('{ broken');
    await gateway.request(chat);
    const { value, text } = await readMetrics(gateway.url);
    const total = 'sluice_operations_total';
    expect(value(total, { kind: 'query', transport: 'http', operation: 'Known', outcome: 'OK' })).toBe(1);
    expect(value(total, { kind: 'query', operation: 'other', outcome: 'OK' })).toBeGreaterThanOrEqual(1);
    expect(value(total, { kind: 'unknown', outcome: 'BAD_INPUT' })).toBe(2);
    expect(value(total, { kind: 'mutation', outcome: 'OK' })).toBe(1);
    expect(value('sluice_operation_duration_seconds_count', { kind: 'mutation' })).toBe(1);
    expect(text).not.toContain('Unheard');
  });

  it('show streams while they are held, on both transports, and none afterwards', async () => {
    const subscription = 'subscription { chat(input: { message: "hello", store: false }) { seq } }';
    const gate = Promise.withResolvers<void>();
    vendor.next({ hold: gate.promise });
    for await (const _event of gateway.subscribe(subscription)) {
      const { value } = await readMetrics(gateway.url);
      if (value('sluice_runs_live', { state: 'running' }) === 1)
        expect(value('sluice_streams_held', { transport: 'websocket' })).toBe(1);
      gate.resolve();
    }
    await gateway.request(subscription, {}, { headers: { accept: 'text/event-stream' } }).catch(() => {});
    await expect
      .poll(async () => {
        const { value } = await readMetrics(gateway.url);
        return [value('sluice_streams_held'), value('sluice_operations_in_flight')];
      })
      .toEqual([0, 0]);
    const { value } = await readMetrics(gateway.url);
    for (const transport of ['http', 'websocket']) {
      expect(value('sluice_operations_total', { kind: 'subscription', transport, outcome: 'OK' })).toBe(1);
    }
  });

  it('count one that its client leaves as cancelled', async () => {
    const gate = Promise.withResolvers<void>();
    vendor.next({ hold: gate.promise }, { hold: gate.promise });
    const leaving = new AbortController();
    const asking = gateway.request(chat, {}, { signal: leaving.signal }).catch(() => {});
    await expect.poll(async () => (await readMetrics(gateway.url)).value('sluice_runs_live')).toBe(1);
    leaving.abort();
    await asking;
    const events = gateway.subscribe('subscription { chat(input: { message: "hello again", store: false }) { seq } }');
    for await (const _event of events) break;
    const cancelled = async (transport: string) =>
      (await readMetrics(gateway.url)).value('sluice_operations_total', { transport, outcome: 'CANCELLED' });
    await expect.poll(async () => [await cancelled('http'), await cancelled('websocket')]).toEqual([1, 1]);
    gate.resolve();
  });
});

describe('the metrics of what stands behind', () => {
  it('are there for runs, statements, connections, components and the process', async () => {
    await gateway.request(chat);
    const { value } = await readMetrics(gateway.url);
    expect(value('sluice_runs_total', { kind: 'CHAT', outcome: 'OK' })).toBeGreaterThan(0);
    expect(value('sluice_run_first_token_seconds_count', { kind: 'CHAT' })).toBeGreaterThan(0);
    expect(value('sluice_run_wait_seconds_count', { kind: 'CHAT' })).toBeGreaterThan(0);
    expect(value('sluice_database_statement_duration_seconds_count', { outcome: 'ok' })).toBeGreaterThan(0);
    await expect
      .poll(async () => (await readMetrics(gateway.url)).value('sluice_database_connections', { state: 'waiting' }))
      .toBe(0);
    expect(value('sluice_component_up', { component: 'database' })).toBe(1);
    expect(value('sluice_runs_live')).toBe(0);
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(1e7);
    expect(value('process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(value('sluice_build_info')).toBe(1);
    await sleep(5);
    expect((await readMetrics(gateway.url)).value('sluice_event_loop_utilization')).toBeLessThanOrEqual(1);
  });

  it('name no tenant', async () => {
    const { text } = await readMetrics(gateway.url);
    expect(text).not.toMatch(/tenant|"default"/);
  });
});

describe('the way to the metrics', () => {
  const key = 'the-key-of-16-characters';
  const token = 'the-token-of-16-characters';
  const statusOf = async (url: string, authorization?: string): Promise<number> => {
    const response = await fetch(new URL('/metrics', url), { headers: authorization ? { authorization } : {} });
    await response.body?.cancel();
    return response.status;
  };

  it('is open where the gateway is', async () => {
    await using edge = await startEdge();
    expect(await statusOf(edge.url)).toBe(200);
  });

  it('needs the token where there is one, also in a gateway that is open', async () => {
    await using edge = await startEdge({}, { SLUICE_METRICS_TOKEN: token });
    expect(await statusOf(edge.url)).toBe(401);
    expect(await statusOf(edge.url, `Bearer ${token}x`)).toBe(401);
    expect(await statusOf(edge.url, `Bearer ${token}`)).toBe(200);
  });

  it('needs the token, or a key, where the gateway has keys', async () => {
    await using edge = await startEdge({}, { SLUICE_METRICS_TOKEN: token, SLUICE_API_KEY: key });
    expect(await statusOf(edge.url)).toBe(401);
    expect(await statusOf(edge.url, `Bearer ${token}`)).toBe(200);
    expect(await statusOf(edge.url, `Bearer ${key}`)).toBe(200);
    expect(await statusOf(edge.url, 'Bearer something-else')).toBe(401);
  });

  it('does not open the graph', async () => {
    await using edge = await startEdge({}, { SLUICE_METRICS_TOKEN: token, SLUICE_API_KEY: key });
    const response = await fetch(edge.url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: '{"query":"{__typename}"}',
    });
    expect(response.status).toBe(401);
  });
});
