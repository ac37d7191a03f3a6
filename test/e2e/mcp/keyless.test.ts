import type { Progress } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { everything } from '../../adapters/mcp/rig.ts';
import { configFile } from '../../helpers/config-file.ts';
import { ingest, startGateway, type TestGateway } from '../../helpers/gateway.ts';
import { eras, mcpClient, textIn } from './client.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
beforeAll(async () => {
  const { environment } = opened.use(
    await configFile({ mcpServers: { everything: { command: process.execPath, args: [everything] } } }),
  );
  gateway = opened.use(await startGateway({ environment }));
  await ingest(gateway, [
    {
      externalId: 'lighthouse',
      title: 'The lighthouse',
      text: 'The lighthouse keeper lights the lamp at sunset. The lamp turns twice a minute. In winter the keeper stays until March.',
    },
    {
      externalId: 'harbour',
      title: 'The harbour',
      text: 'Fishing boats leave the harbour at four in the morning. The harbour is closed in a storm.',
    },
  ]);
});
afterAll(() => opened.disposeAsync());

describe.each(eras)('research, for a client %s', (era) => {
  it('tells of its steps, and gives a cited report', async () => {
    await using client = await mcpClient(gateway, { era });
    const progress: Progress[] = [];
    const goal = 'When does the keeper light the lamp, and when do fishing boats leave the harbour?';
    const result = await client.callTool(
      { name: 'research', arguments: { goal } },
      { onprogress: (told) => progress.push(told), timeout: 60_000 },
    );
    expect(result.isError ?? false).toBe(false);
    expect(result.structuredContent).toMatchObject({
      report: expect.stringMatching(/\[1\]/),
      citations: expect.arrayContaining([expect.objectContaining({ number: 1, quote: expect.any(String) })]),
      runId: expect.any(String),
    });
    expect(textIn(result)).toMatch(/\n\[1\] The (lighthouse|harbour)/);
    expect(progress.length).toBeGreaterThan(0);
  });
});

describe('an MCP server of the configuration', () => {
  it('is a component of health, and its tools can be given to agents', async () => {
    await vi.waitFor(async () => {
      const { health } = await gateway.data<{ health: { components: unknown[] } }, unknown>(
        '{ health { components { name ok detail } } }',
      );
      expect(health.components).toContainEqual({ name: 'mcp everything', ok: true, detail: null });
    }, 30_000);
  });
});
