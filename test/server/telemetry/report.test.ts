import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingest, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
beforeAll(async () => {
  ({ gateway } = opened.use(await startGatewayWithVendor()));
  await ingest(gateway, [{ externalId: 'a', text: 'The lighthouse stands on the cliff, above the sea.' }]);
});
afterAll(() => opened.disposeAsync());

interface Used {
  readonly calls: number;
  readonly costUsd: number | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheHits: number;
  readonly queueMs: number;
}
type Report = Used & { readonly paths: Readonly<Record<string, Used>> };

const searches = (words: string) => `{
  a: search(query: "${words} tower") { summary { text } }
  b: search(query: "${words} sea") { nodes { id } }
  health { ok }
}`;

async function reportOf(query: string): Promise<Report> {
  const result = await gateway.request(query, {}, { headers: { 'x-sluice-report': '1' } });
  expect(result.errors).toBeUndefined();
  return (result as unknown as { extensions: { sluice: Report } }).extensions.sluice;
}

function checkSums({ paths, ...total }: Report): void {
  const all = Object.values(paths);
  for (const part of ['calls', 'inputTokens', 'outputTokens', 'costUsd'] as const) {
    expect(all.reduce((sum, used) => sum + (used[part] ?? 0), 0)).toBeCloseTo(total[part] ?? 0, 2);
  }
}

describe('the report of an operation', () => {
  it('tells what each path of the response cost; a shared call is shared', async () => {
    const report = await reportOf(searches('first'));
    expect(Object.keys(report.paths).sort()).toEqual(['a', 'a.summary', 'b']);
    expect(report.calls).toBe(2);
    expect(report.paths['a']?.calls).toBe(0.5);
    expect(report.paths['b']?.calls).toBe(0.5);
    expect(report.paths['a.summary']).toMatchObject({ calls: 1 });
    expect(report.paths['a.summary']?.costUsd).toBeGreaterThan(0);
    expect(report.paths['a.summary']?.outputTokens).toBeGreaterThan(0);
    checkSums(report);
  });

  it('has the run that a mutation waits for', async () => {
    const report = await reportOf(
      'mutation { quick: startChat(input: { message: "hello", store: false }) { run { reply { text } } } }',
    );
    expect(report.paths['quick']).toMatchObject({ calls: 1 });
    expect(report.paths['quick']?.outputTokens).toBeGreaterThan(0);
    checkSums(report);
  });

  it('is not there unless it is wanted', async () => {
    const result = await gateway.request(searches('second'));
    expect(result).not.toHaveProperty('extensions');
  });

  it('comes over a WebSocket too, where the extensions of the operation ask for it', async () => {
    const client = gateway.socket();
    const results = client.iterate<unknown, { sluice: Report }>({
      query: '{ embedding(text: "a word over a socket") { tokens } }',
      extensions: { sluice: true },
    });
    for await (const { extensions } of results) {
      expect(extensions?.sluice.paths['embedding']).toMatchObject({ calls: 1 });
    }
  });

  it('says that nothing was asked', async () => {
    expect(await reportOf('{ health { ok } }')).toEqual({
      ...{ calls: 0, inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, costUsd: 0, estimated: false },
      ...{ cacheHits: 0, queueMs: 0, paths: {} },
    });
  });
});
