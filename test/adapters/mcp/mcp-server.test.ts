import type { McpServer as ModernServer } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { startToolServer, type ToolServer } from '../../helpers/tool-server.ts';
import { type Connected, connect, toolIo } from './rig.ts';

const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
const cancelled = vi.fn();
let tools: readonly ((server: ModernServer) => void)[] = [];

const reading = (server: ModernServer) =>
  server.registerTool('read', { description: 'Reads.', annotations: { readOnlyHint: true } }, () => text('read'));
const writing = (server: ModernServer) =>
  server.registerTool('write', { inputSchema: z.object({ what: z.string() }) }, ({ what }, { mcpReq }) =>
    text(JSON.stringify({ what, meta: mcpReq._meta })),
  );
const failing = (server: ModernServer) =>
  server.registerTool('fail', {}, () => ({ ...text('The printer is on fire.'), isError: true }));
const large = (server: ModernServer) =>
  server.registerTool('large', { inputSchema: z.object({ bytes: z.number() }) }, ({ bytes }) =>
    text('x'.repeat(bytes)),
  );
const hanging = (server: ModernServer) =>
  server.registerTool('hang', {}, ({ mcpReq }) => {
    mcpReq.signal.addEventListener('abort', () => cancelled());
    return new Promise<never>(() => {});
  });
const wide = (server: ModernServer) =>
  server.registerTool('wide.name.with-more-characters-than-a-provider-takes-for-a-tool', {}, () => text(''));

const opened = new AsyncDisposableStack();
let served: ToolServer;
let connected: Connected;
beforeAll(async () => {
  tools = [reading, writing, failing, large, hanging, wide];
  served = opened.use(await startToolServer((server) => tools.map((register) => register(server))));
  connected = opened.use(connect(served.at, { name: 'test', maxResultBytes: 1_000 }));
});
afterAll(() => opened.disposeAsync());

describe('the tools of a server', () => {
  it('need approval, and are taken for changing the world, unless they say that they only read', async () => {
    expect(await connected.tool('test__read')).toMatchObject({ requiresApproval: false, changesWorld: false });
    expect(await connected.tool('test__write')).toMatchObject({ requiresApproval: true, changesWorld: true });
  });

  it('need approval as the configuration says', async () => {
    await using named = connect(served.at, { name: 'test', requiresApproval: ['read'] });
    expect(await named.tool('test__read')).toMatchObject({ requiresApproval: true, changesWorld: false });
    expect(await named.tool('test__write')).toMatchObject({ requiresApproval: false, changesWorld: true });
    await using trusted = connect(served.at, { name: 'test', requiresApproval: false });
    expect(await trusted.tool('test__write')).toMatchObject({ requiresApproval: false, changesWorld: true });
  });

  it('have names that every provider takes', async () => {
    await connected.tool('test__read');
    const names = connected.server.tools().map(({ name }) => name);
    expect(names).toContainEqual(expect.stringMatching(/^test__wide_name_with-more-[\w-]+_[0-9a-f]{8}$/));
    expect(names.filter((name) => name.length > 64)).toEqual([]);
  });

  it('are those that are allowed; a name that is not there is logged', async () => {
    await using some = connect(served.at, { name: 'test', allowedTools: ['read', 'erase'] });
    await some.tool('test__read');
    expect(some.server.tools().map(({ name }) => name)).toEqual(['test__read']);
    expect(some.lines).toContainEqual(expect.objectContaining({ tools: ['erase'] }));
  });

  it('change when the server says so', async () => {
    await connected.tool('test__read');
    tools = [...tools, (server) => server.registerTool('new', {}, () => text('new'))];
    served.handler.notify.toolsChanged();
    expect(await (await connected.tool('test__new')).call({}, toolIo())).toEqual({ value: 'new' });
    tools = tools.slice(0, -1);
    served.handler.notify.toolsChanged();
    await vi.waitFor(() => expect(connected.server.tools().map(({ name }) => name)).not.toContain('test__new'), 10_000);
  });
});

describe('a call', () => {
  it('hands on its arguments, its run, and the key by which the same call is known again', async () => {
    const io = toolIo();
    const { value } = await (await connected.tool('test__write')).call({ what: 'a letter' }, io);
    expect(JSON.parse(String(value))).toMatchObject({
      what: 'a letter',
      meta: { 'sluice/runId': io.runId, 'sluice/idempotencyKey': io.idempotencyKey },
    });
  });

  it('that the tool fails says why', async () => {
    await expect((await connected.tool('test__fail')).call({}, toolIo())).rejects.toMatchObject({
      code: 'UPSTREAM_REJECTED',
      message: 'test__fail failed: The printer is on fire.',
      retryable: false,
    });
  });

  it('whose arguments the server does not take says so', async () => {
    await expect((await connected.tool('test__write')).call({ what: 5 }, toolIo())).rejects.toMatchObject({
      code: 'UPSTREAM_REJECTED',
      message: expect.stringContaining('what'),
    });
  });

  it('that gives more than maxResultBytes fails, and names both sizes', async () => {
    await expect((await connected.tool('test__large')).call({ bytes: 2_000 }, toolIo())).rejects.toMatchObject({
      code: 'UPSTREAM_REJECTED',
      message: expect.stringMatching(/at most 1000 bytes, got 2002 bytes/),
    });
  });

  it('that gives more than any message may hold is cut off, and the server is used again', async () => {
    const big = (await connected.tool('test__large')).call({ bytes: 6_000_000 }, toolIo());
    await expect(big).rejects.toMatchObject({ code: expect.stringMatching(/^UPSTREAM_/) });
    expect(await (await connected.tool('test__read')).call({}, toolIo())).toEqual({ value: 'read' });
  });

  it('that hangs ends at its time-out, and the server is told', async () => {
    cancelled.mockClear();
    await using hasty = connect(served.at, { name: 'test', timeoutMs: 500 });
    await expect((await hasty.tool('test__hang')).call({}, toolIo())).rejects.toMatchObject({
      code: 'UPSTREAM_TIMEOUT',
      message: 'test__hang gave no result within 500 ms.',
      retryable: true,
    });
    await vi.waitFor(() => expect(cancelled).toHaveBeenCalled());
  });

  it('that is aborted rejects with the reason, and the server is told', async () => {
    cancelled.mockClear();
    const abort = new AbortController();
    const call = (await connected.tool('test__hang')).call({}, toolIo(abort.signal));
    const stopped = expect(call).rejects.toThrow('the run was cancelled');
    setTimeout(() => abort.abort(new Error('the run was cancelled')), 200);
    await stopped;
    await vi.waitFor(() => expect(cancelled).toHaveBeenCalled());
  });
});

describe('a server that is not there', () => {
  it('does not hold up anything, is told by health, and fails a call as retryable', async () => {
    await using absent = connect({ type: 'stdio', command: '/no/such/program', args: [], env: {}, cwd: null });
    expect(absent.server.tools()).toEqual([]);
    await vi.waitFor(() =>
      expect(absent.server.health()).toEqual({
        name: 'mcp everything',
        ok: false,
        detail: 'it cannot be reached (ENOENT)',
      }),
    );
  });
});
