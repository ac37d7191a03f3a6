import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Progress } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { everything } from '../../adapters/mcp/rig.ts';
import { configFile } from '../../helpers/config-file.ts';
import { ingest, startGateway, type TestGateway } from '../../helpers/gateway.ts';
import { eras, mcpClient, textIn } from './client.ts';

const operations = {
  find_titles: {
    description: 'Titles of the documents that fit a query.',
    document: `query ($query: String!, $mode: SearchMode = KEYWORD, $filter: MetadataFilter, $first: Int) {
      search(query: $query, mode: $mode, filter: $filter, first: $first) { nodes { ...Titled } }
    }
    fragment Titled on Passage { document { title externalId } }`,
  },
  make_collection: {
    title: 'Make a collection',
    description: 'Makes an empty collection.',
    document:
      'mutation ($input: CreateCollectionInput!) { createCollection(input: $input) { collection { name documentCount } } }',
  },
};
const opened = new AsyncDisposableStack();
let gateway: TestGateway;
beforeAll(async () => {
  const { environment } = opened.use(
    await configFile({
      mcp: { operations },
      mcpServers: { everything: { command: process.execPath, args: [everything] } },
    }),
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

describe('an operation of the configuration', () => {
  it('is a tool whose schemas are made of its variables and its selection', async () => {
    await using client = await mcpClient(gateway);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      ...['search', 'ask', 'research', 'ingest'],
      ...['find_titles', 'make_collection'],
    ]);
    const [find, make] = tools.slice(-2);
    expect(find).toMatchObject({
      annotations: { readOnlyHint: true },
      inputSchema: {
        properties: {
          query: { type: 'string' },
          mode: {
            anyOf: [{ type: 'string', enum: ['HYBRID', 'KEYWORD', 'VECTOR'] }, { type: 'null' }],
            default: 'KEYWORD',
          },
          filter: { anyOf: [{ $ref: '#/$defs/MetadataFilter' }, { type: 'null' }] },
        },
        required: ['query'],
        additionalProperties: false,
        $defs: {
          MetadataFilter: { properties: { not: { anyOf: [{ $ref: '#/$defs/MetadataFilter' }, { type: 'null' }] } } },
        },
      },
    });
    expect(JSON.stringify(find?.outputSchema)).toContain('"externalId":{"type":"string"}');
    expect(make).toMatchObject({
      title: 'Make a collection',
      annotations: { readOnlyHint: false },
      inputSchema: { $defs: { CreateCollectionInput: { required: ['name'] } } },
    });
  });

  it('gives its data, which the client finds to fit the schema', async () => {
    await using client = await mcpClient(gateway);
    await client.listTools();
    const found = await client.callTool({ name: 'find_titles', arguments: { query: 'storm', first: 1 } });
    expect(found.structuredContent).toEqual({
      search: { nodes: [{ document: { title: 'The harbour', externalId: 'harbour' } }] },
    });
    const made = await client.callTool({ name: 'make_collection', arguments: { input: { name: 'made' } } });
    expect(made.structuredContent).toEqual({ createCollection: { collection: { name: 'made', documentCount: 0 } } });
  });

  it('that fails, or is given wrong variables, says why', async () => {
    await using client = await mcpClient(gateway);
    const twice = await client.callTool({ name: 'make_collection', arguments: { input: { name: 'default' } } });
    expect([twice.isError, textIn(twice)]).toEqual([true, expect.stringContaining('CONFLICT')]);
    const wrong = await client.callTool({ name: 'find_titles', arguments: { query: 7 } });
    expect([wrong.isError, textIn(wrong)]).toEqual([true, expect.stringContaining('BAD_INPUT')]);
  });
});

it('the example lists the tools, and shows an answer with its sources', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['examples/mcp-client.ts', 'How often does the lamp turn?'],
    { env: { ...process.env, SLUICE_URL: gateway.url } },
  );
  expect(stdout).toMatch(/^search: /);
  expect(stdout).toContain('twice a minute');
  expect(stdout).toMatch(/\n\[1\] The lighthouse/);
});
