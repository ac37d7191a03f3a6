import { randomUUID } from 'node:crypto';
import type { Progress } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createKey } from '../../helpers/api-keys.ts';
import { configFile } from '../../helpers/config-file.ts';
import { startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import type { VendorCall } from '../../helpers/vendor/journal.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { eras, mcpClient, textIn } from './client.ts';

const staticKey = 'the-static-key-of-this-test';
const keeper = { authorization: `Bearer ${staticKey}` };
const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;
beforeAll(async () => {
  const { environment } = opened.use(await configFile({ timeouts: { unwatchedGraceMs: 200 } }));
  ({ gateway, vendor } = opened.use(
    await startGatewayWithVendor({ environment: { ...environment, SLUICE_API_KEY: staticKey } }),
  ));
});
afterAll(() => opened.disposeAsync());

const asks =
  (question: string) =>
  ({ path, body }: VendorCall): boolean =>
    path === '/chat/completions' && JSON.stringify(body).includes(question);

describe.each(eras)('the tools of the gateway, for a client %s', (era) => {
  const marked = (text: string): string => `${text} (${era})`;

  it('are listed with schemas of what they take and give', async () => {
    await using client = await mcpClient(gateway, { era, headers: keeper });
    expect(client.getServerVersion()).toMatchObject({ name: 'sluice' });
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['search', 'ask', 'research', 'ingest']);
    for (const { inputSchema, outputSchema, description } of tools) {
      expect(inputSchema).toMatchObject({ type: 'object', additionalProperties: false });
      expect(outputSchema).toMatchObject({ type: 'object' });
      expect(description).toMatch(/\w+/);
    }
  });

  it('put documents in and find them again', async () => {
    await using client = await mcpClient(gateway, { era, headers: keeper });
    const documents = ['comet', 'meteor'].map((what) => ({
      externalId: marked(what),
      text: `A ${what} was seen over the harbour in the year 1811.`,
      title: marked(`The ${what}`),
      metadata: { what, era },
    }));
    const progress: Progress[] = [];
    const ingested = await client.callTool(
      { name: 'ingest', arguments: { documents } },
      { onprogress: (told) => progress.push(told) },
    );
    expect(ingested.structuredContent).toMatchObject({ documentsTotal: 2, documentsDone: 2, failures: [] });
    expect(textIn(ingested)).toBe('2 of 2 documents are in, 0 were unchanged.');
    expect(progress.at(-1)).toMatchObject({ progress: 2, total: 2, message: '2 of 2 documents' });

    const filter = {
      all: [
        { field: 'what', equals: 'comet' },
        { field: 'era', equals: era },
      ],
    };
    const found = await client.callTool({ name: 'search', arguments: { query: 'comet over the harbour', filter } });
    expect(found.structuredContent).toMatchObject({
      passages: [{ externalId: marked('comet'), title: marked('The comet'), score: expect.any(Number) }],
      hasNextPage: false,
    });
    expect(textIn(found)).toContain('A comet was seen over the harbour');
  });

  it('answer a question with citations, tell their progress, and go on with the conversation', async () => {
    const question = marked('Which comet was seen?');
    const remove = vendor.when(asks(question), { reply: 'The great comet of 1811 [1].', tokensPerSecond: 8 });
    await using client = await mcpClient(gateway, { era, headers: keeper });
    const progress: Progress[] = [];
    const answered = await client.callTool(
      { name: 'ask', arguments: { question } },
      { onprogress: (told) => progress.push(told) },
    );
    remove();
    const { structuredContent } = answered;
    expect(structuredContent).toMatchObject({
      answer: 'The great comet of 1811 [1].',
      citations: [{ number: 1, quote: expect.any(String) }],
      finishReason: 'STOP',
      conversationId: expect.any(String),
      usage: { inputTokens: expect.any(Number), outputTokens: expect.any(Number) },
    });
    expect(textIn(answered)).toMatch(/^The great comet of 1811 \[1\]\.\n\n\[1\] /);
    expect(progress.length).toBeGreaterThan(1);
    expect(progress.map((told) => told.progress)).toEqual(
      progress.map((told) => told.progress).toSorted((a, b) => a - b),
    );
    expect(progress.some(({ message }) => message?.startsWith('Writing the answer: '))).toBe(true);

    const { conversationId } = structuredContent as { conversationId: string };
    const next = marked('And when?');
    await client.callTool({ name: 'ask', arguments: { question: next, conversationId } });
    expect(JSON.stringify(vendor.calls('/chat/completions').find(asks(next))?.body)).toContain(question);
  });

  it('are cancelled with the run and the provider call behind them', async () => {
    const question = marked('How long is a piece of string?');
    const remove = vendor.when(asks(question), { reply: 'long '.repeat(2_000), tokensPerSecond: 50 });
    await using client = await mcpClient(gateway, { era, headers: keeper });
    const cancel = new AbortController();
    const call = client.callTool(
      { name: 'ask', arguments: { question } },
      {
        signal: cancel.signal,
        onprogress: ({ message }) => {
          if (message?.startsWith('Writing')) cancel.abort(new Error('enough'));
        },
      },
    );
    await expect(call).rejects.toThrow();
    const [provider] = vendor.calls('/chat/completions').filter(asks(question));
    if (provider === undefined) expect.unreachable();
    expect((await vendor.waitForClose(provider)).completed).toBe(false);
    remove();
  });

  it('stop for a client whose connection has closed', async () => {
    const question = marked('How wide is the sea?');
    const remove = vendor.when(asks(question), { reply: 'wide '.repeat(2_000), tokensPerSecond: 50 });
    const client = await mcpClient(gateway, { era, headers: keeper });
    const call = client.callTool(
      { name: 'ask', arguments: { question } },
      { onprogress: ({ message }) => void (message?.startsWith('Writing') && client.close()) },
    );
    await expect(call).rejects.toThrow();
    const [provider] = vendor.calls('/chat/completions').filter(asks(question));
    if (provider === undefined) expect.unreachable();
    expect((await vendor.waitForClose(provider)).completed).toBe(false);
    remove();
  });

  it('say what is wrong with a call, for a model to read', async () => {
    await using client = await mcpClient(gateway, { era, headers: keeper });
    const wrong = async (name: string, args: Record<string, unknown>) => {
      const result = await client.callTool({ name, arguments: args });
      expect(result.isError).toBe(true);
      return [textIn(result), (result._meta?.['sluice/error'] as { code?: string } | undefined)?.code];
    };
    expect(await wrong('search', { query: 7, first: 0 })).toEqual([
      expect.stringMatching(/^The arguments of search are not right\. query: .*string.*; first: .*1/),
      'BAD_INPUT',
    ]);
    expect(await wrong('search', { query: 'a', in: 'nowhere' })).toEqual([
      'There is no collection "nowhere".',
      'NOT_FOUND',
    ]);
    expect(await wrong('search', { query: 'a', filter: { field: 'a' } })).toEqual([
      expect.stringContaining('filter'),
      'BAD_INPUT',
    ]);
    expect(await wrong('summon', {})).toEqual([
      'There is no tool "summon"; there are search, ask, research, ingest.',
      'NOT_FOUND',
    ]);
    const refused = marked('Refuse me');
    const remove = vendor.when(asks(refused), { status: 400, error: { code: 'content_filter', message: 'No.' } });
    expect(await wrong('ask', { question: refused })).toEqual([expect.any(String), 'UPSTREAM_REJECTED']);
    remove();
  });
});

describe('who may call', () => {
  it('nobody without a key, or with a wrong one', async () => {
    await expect(mcpClient(gateway)).rejects.toThrow();
    await expect(mcpClient(gateway, { headers: { authorization: 'Bearer wrong' } })).rejects.toThrow();
    const response = await fetch(new URL('/mcp', gateway.url), { method: 'POST', body: '{}' });
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });

  it('a key by its scopes: it sees no tool that it may not call', async () => {
    const { headers } = await createKey(gateway, { scopes: ['SEARCH'] }, staticKey);
    await using client = await mcpClient(gateway, { headers });
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['search']);
    const refused = await client.callTool({ name: 'ask', arguments: { question: 'Why?' } });
    expect(refused).toMatchObject({ isError: true, _meta: { 'sluice/error': { code: 'FORBIDDEN' } } });
  });

  it('a key of another tenant finds nothing of the first one', async () => {
    await using owner = await mcpClient(gateway, { headers: keeper });
    const secret = `The owner's secret ${randomUUID()}`;
    await owner.callTool({ name: 'ingest', arguments: { documents: [{ externalId: 'secret', text: secret }] } });
    const asked = await owner.callTool({ name: 'ask', arguments: { question: 'What is it?' } });
    const { conversationId } = asked.structuredContent as { conversationId: string };

    const scopes = ['SEARCH', 'CHAT', 'INGEST'] as const;
    const { headers } = await createKey(gateway, { tenant: 'stranger', scopes: [...scopes] }, staticKey);
    await using stranger = await mcpClient(gateway, { headers });
    const found = await stranger.callTool({ name: 'search', arguments: { query: secret } });
    expect(JSON.stringify(found)).not.toContain('owner');
    const goneOn = await stranger.callTool({ name: 'ask', arguments: { question: 'And?', conversationId } });
    expect(goneOn).toMatchObject({ isError: true, _meta: { 'sluice/error': { code: 'NOT_FOUND' } } });
  });

  it('a key within its limits', async () => {
    const { headers } = await createKey(gateway, { scopes: ['SEARCH'], limits: { requestsPerMinute: 2 } }, staticKey);
    await using client = await mcpClient(gateway, { headers });
    const calls = await Promise.all(
      [1, 2, 3].map(() => client.callTool({ name: 'search', arguments: { query: 'comet' } })),
    );
    const [refused, ...more] = calls.filter(({ isError }) => isError);
    expect(more).toEqual([]);
    expect(refused?._meta?.['sluice/error']).toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterMs: expect.any(Number),
    });
  });
});

describe('a body that is no message', () => {
  const post = (body: string, headers = {}) =>
    fetch(new URL('/mcp', gateway.url), {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...keeper, ...headers },
    });

  it.each([
    ['no JSON', '{', /not valid JSON/],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]', /one JSON-RPC message, got a batch/],
    ['a number', '7', /one JSON-RPC message, got 7/],
  ])('that is %s is refused', async (_what, body, message) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect((await response.json()).error).toMatchObject({ code: -32_600, message: expect.stringMatching(message) });
  });

  it('that names its tool by no text is told so', async () => {
    const params = { name: { toString: null, valueOf: null }, arguments: {} };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
    const response = await post(body, { accept: 'application/json, text/event-stream' });
    expect([response.status, await response.text()]).toEqual([expect.any(Number), expect.stringContaining('-32602')]);
  });

  it('from a page of another origin is refused', async () => {
    const response = await post('{}', { origin: 'https://evil.example' });
    expect(response.status).toBe(403);
  });

  it('is not read by GET', async () => {
    const response = await fetch(new URL('/mcp', gateway.url), { headers: keeper });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, OPTIONS']);
  });
});

it('a cancellation that comes as a request of its own finds the call by its session', async () => {
  const question = 'What is beyond the horizon?';
  const remove = vendor.when(asks(question), { reply: 'more '.repeat(2_000), tokensPerSecond: 50 });
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-session-id': randomUUID(),
    ...keeper,
  };
  const send = (message: object) =>
    fetch(new URL('/mcp', gateway.url), {
      method: 'POST',
      headers,
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    });
  const call = send({ id: 'a', method: 'tools/call', params: { name: 'ask', arguments: { question } } });
  const provider = await vi.waitFor(() => {
    const found = vendor.calls('/chat/completions').find(asks(question));
    if (found === undefined) throw new Error('it is not asked yet');
    return found;
  }, 20_000);
  const cancelled = await send({ method: 'notifications/cancelled', params: { requestId: 'a' } });
  expect(cancelled.status).toBe(202);
  expect((await vendor.waitForClose(provider)).completed).toBe(false);
  expect(await (await call).text()).toContain('CANCELLED');
  remove();
});
