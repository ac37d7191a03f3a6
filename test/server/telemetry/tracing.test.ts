import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configFile } from '../../helpers/config-file.ts';
import { ingest, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import { type OtlpCollector, pathOf, type ReceivedSpan, startOtlpCollector } from '../../helpers/otlp-collector.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';

const opened = new AsyncDisposableStack();
let collector: OtlpCollector;
let gateway: TestGateway;
let vendor: Vendor;
beforeAll(async () => {
  collector = opened.use(await startOtlpCollector());
  const file = opened.use(await configFile({ telemetry: { exportEveryMs: 100, propagate: true } }));
  ({ gateway, vendor } = opened.use(
    await startGatewayWithVendor({
      environment: { ...file.environment, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
    }),
  ));
});
afterAll(() => opened.disposeAsync());

const words = 'words that nobody may record';
const startChat = `mutation Ask($input: StartChatInput!) { startChat(input: $input) { run { finished { status } } } }`;

/** The spans of one trace, once a span of this name is among them. */
async function traceWith(name: string, traceId?: string): Promise<readonly ReceivedSpan[]> {
  const found = () =>
    collector.spans.findLast((span) => span.name === name && (traceId === undefined || span.traceId === traceId));
  await expect.poll(found, { message: `a span ${name}` }).toBeDefined();
  return collector.spans.filter((span) => span.traceId === found()?.traceId);
}

const only = (spans: readonly ReceivedSpan[], name: string): ReceivedSpan => {
  const [span, ...others] = spans.filter((each) => each.name === name);
  if (span === undefined || others.length > 0) throw new Error(`${others.length + 1} or no spans called ${name}`);
  return span;
};

describe('a trace', () => {
  it('is one tree from the operation to the provider call', async () => {
    await gateway.data(startChat, { input: { message: words } });
    const spans = await traceWith('mutation Ask');
    const call = only(spans, 'chat gpt-4.1-mini');
    expect(pathOf(call, spans)).toEqual(['chat gpt-4.1-mini', 'run CHAT', 'start CHAT', 'mutation Ask']);
    expect(call.attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4.1-mini',
      'gen_ai.usage.output_tokens': expect.any(Number),
    });
    for (const span of spans.filter(({ name }) => name === 'sql run-claim')) {
      expect(pathOf(span, spans).slice(1)).toEqual(['start CHAT', 'mutation Ask']);
    }
    for (const span of spans.filter(({ name }) => name === 'sql run-update')) {
      expect(pathOf(span, spans)[1]).toBe('run CHAT');
    }
    expect(JSON.stringify(spans)).not.toContain(words);
    const told = vendor.calls('/chat/completions').at(-1)?.headers['traceparent'];
    expect(told).toBe(`00-${call.traceId}-${call.spanId}-01`);
  });

  it("hangs below the caller's own span, and is not recorded when the caller says so", async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
    await gateway.request('query Below { health { ok } }', {}, { headers });
    const [span] = await traceWith('query Below');
    expect(span).toMatchObject({ traceId, parentSpanId: 'b7ad6b7169203331' });
    await gateway.request(
      'query Unrecorded { health { ok } }',
      {},
      { headers: { traceparent: `00-${traceId}-b7ad6b7169203331-00` } },
    );
    await gateway.request('query After { health { ok } }');
    await traceWith('query After');
    expect(collector.spans.filter(({ name }) => name === 'query Unrecorded')).toEqual([]);
  });

  it('of a search has the embeddings call and the statement below it', async () => {
    await ingest(gateway, [{ externalId: 'a', text: 'The lighthouse stands on the cliff.' }]);
    await gateway.data('query Find { search(query: "a tower by the sea") { nodes { id } } }');
    const spans = await traceWith('query Find');
    expect(pathOf(only(spans, 'embeddings text-embedding-3-small'), spans)).toEqual([
      'embeddings text-embedding-3-small',
      'query Find',
    ]);
    expect(spans.filter(({ name }) => name.startsWith('sql search')).map((span) => pathOf(span, spans)[1])).toContain(
      'query Find',
    );
  });

  it('shows each attempt of a provider call, and what it failed with', async () => {
    vendor.next({ status: 503 });
    await gateway.data(startChat.replace('Ask', 'Again'), { input: { message: words } });
    const spans = await traceWith('mutation Again');
    const calls = spans.filter(({ name }) => name === 'chat gpt-4.1-mini');
    expect(
      calls.map(({ attributes, isError }) => [attributes['sluice.attempt'], attributes['error.type'], isError]),
    ).toEqual([
      [1, 'UPSTREAM_UNAVAILABLE', true],
      [2, undefined, false],
    ]);
  });

  it('has no span per token', async () => {
    vendor.next({ reply: 'word '.repeat(500) });
    await gateway.data(startChat.replace('Ask', 'Long'), { input: { message: words } });
    const spans = await traceWith('mutation Long');
    expect(spans.length).toBeLessThan(25);
  });
});
