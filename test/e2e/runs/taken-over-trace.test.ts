import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { startFleet } from '../../faults/fleet.ts';
import { pathOf, startOtlpCollector } from '../../helpers/otlp-collector.ts';
import { findPostgres } from '../../helpers/postgres-server.ts';
import { hasRedis } from '../../helpers/redis-server.ts';

const hasServers = hasRedis && (!('missing' in findPostgres()) || process.env['CI'] !== undefined);

describe.skipIf(!hasServers)('the trace of a run whose instance is killed', () => {
  it('is one tree over both instances, from the operation to each of their provider calls', async () => {
    await using collector = await startOtlpCollector();
    await using fleet = await startFleet({
      tokensPerSecond: 20,
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
    });
    const [first, second] = fleet.members;
    fleet.vendor.next({ reply: 'word '.repeat(200) }, { reply: 'done' });
    const runId = randomUUID();
    await first
      ?.process()
      ?.data(`mutation Begin { startChat(input: { runId: "${runId}", message: "hello" }) { run { status } } }`);
    // The operation is over, and its collector has heard of it; the run goes on.
    await expect.poll(() => collector.spans.map(({ name }) => name)).toContain('mutation Begin');
    await first?.kill();
    const ended = await second
      ?.process()
      ?.data<{ run: { finished: { status: string } } }>(`{ run(runId: "${runId}") { finished { status } } }`);
    expect(ended?.run.finished.status).toBe('SUCCEEDED');
    const call = 'chat gpt-4.1-mini';
    await expect.poll(() => collector.spans.map(({ name }) => name)).toContain('run CHAT');
    const { traceId } = collector.spans.find(({ name }) => name === 'mutation Begin') ?? {};
    const spans = collector.spans.filter((span) => span.traceId === traceId);
    const calls = spans.filter(({ name }) => name === call);
    expect(calls.map((span) => pathOf(span, spans))).toEqual([[call, 'run CHAT', 'start CHAT', 'mutation Begin']]);
    expect(spans.find(({ name }) => name === 'run CHAT')?.attributes['sluice.run.attempt']).toBe(2);
    const [begin] = spans.filter(({ name }) => name === 'mutation Begin');
    expect(calls[0]?.instance).not.toBe(begin?.instance);
    expect(spans.filter(({ parentSpanId }) => parentSpanId === null)).toEqual([begin]);
  }, 180_000);
});
