import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { temporaryDirectory } from '../../helpers/embedded-database.ts';
import { freePort } from '../../helpers/free-port.ts';
import { type GuardedProcess, spawnGuarded } from '../../helpers/guarded-process.ts';
import { type Connected, connect, everything, overStdio, toolIo } from './rig.ts';

const opened = new AsyncDisposableStack();
let pidFile: string;
let stdio: Connected;
beforeAll(async () => {
  pidFile = join(opened.use(await temporaryDirectory()).path, 'pid');
  vi.stubEnv('OPENAI_API_KEY', 'sk-of-the-gateway');
  stdio = opened.use(connect(overStdio(pidFile, { GREETING: 'hello' })));
});
afterAll(async () => {
  await opened.disposeAsync();
  vi.unstubAllEnvs();
});

describe('the reference server by stdio', () => {
  it('gives its tools, named after it, with their schemas', async () => {
    expect(await stdio.tool('everything__get-sum')).toMatchObject({
      source: 'MCP',
      parameters: { type: 'object', properties: { a: { type: 'number' }, b: { type: 'number' } } },
      resultSchema: null,
    });
    expect(await stdio.tool('everything__get-structured-content')).toMatchObject({
      resultSchema: { type: 'object', required: ['temperature', 'conditions', 'humidity'] },
    });
    const names = stdio.server.tools().map(({ name }) => name);
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !/^[A-Za-z0-9_-]{1,64}$/.test(name))).toEqual([]);
    expect(stdio.server.health()).toEqual({ name: 'mcp everything', ok: true, detail: null });
  });

  it('calls them: a text, structured content, and an image as what it is', async () => {
    const sum = await (await stdio.tool('everything__get-sum')).call({ a: 2, b: 3 }, toolIo());
    expect(sum.value).toMatch(/5/);
    const weather = await stdio.tool('everything__get-structured-content');
    expect(await weather.call({ location: 'Chicago' }, toolIo())).toEqual({
      value: { temperature: 36, conditions: 'Light rain / drizzle', humidity: 82 },
    });
    const { value } = await (await stdio.tool('everything__get-tiny-image')).call({}, toolIo());
    expect(value).toEqual([
      expect.any(String),
      { type: 'image', mimeType: 'image/png', bytes: expect.any(Number) },
      expect.any(String),
    ]);
  });

  it('sees nothing of the environment but what it was given', async () => {
    const { value } = await (await stdio.tool('everything__get-env')).call({}, toolIo());
    const environment = JSON.parse(String(value));
    expect(environment).toMatchObject({ GREETING: 'hello', PATH: expect.any(String) });
    expect(environment).not.toHaveProperty('OPENAI_API_KEY');
  });

  it('writes to stderr, which stands in the log', async () => {
    await vi.waitFor(() =>
      expect(stdio.lines).toContainEqual(expect.objectContaining({ line: expect.stringContaining('STDIO') })),
    );
  });

  it('killed in the middle of a call fails it as retryable, is started again, and used again', async () => {
    const slow = await stdio.tool('everything__trigger-long-running-operation');
    const pid = Number(await readFile(pidFile, 'utf8'));
    const call = slow.call({ duration: 60, steps: 1 }, toolIo());
    const killed = expect(call).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true });
    process.kill(pid, 'SIGKILL');
    await killed;
    expect(stdio.server.tools().length).toBeGreaterThan(10);
    // It waits for the new process.
    const sum = await (await stdio.tool('everything__get-sum')).call({ a: 20, b: 22 }, toolIo());
    expect(sum.value).toMatch(/42/);
    expect(Number(await readFile(pidFile, 'utf8'))).not.toBe(pid);
  });

  it('is ended with the gateway', async () => {
    const directory = opened.use(await temporaryDirectory());
    const file = join(directory.path, 'pid');
    const short = connect(overStdio(file));
    await short.tool('everything__echo');
    const pid = Number(await readFile(file, 'utf8'));
    expect(process.kill(pid, 0)).toBe(true);
    await short[Symbol.asyncDispose]();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});

describe('the reference server by streamable HTTP', () => {
  it('is reached when it comes, fails a call that it dies in, and is used again', async () => {
    const port = await freePort();
    const http = opened.use(connect({ type: 'http', url: `http://127.0.0.1:${port}/mcp`, headers: {} }));
    await vi.waitFor(() =>
      expect(http.server.health()).toMatchObject({ ok: false, detail: 'it cannot be reached (ECONNREFUSED)' }),
    );
    expect(http.server.tools()).toEqual([]);

    const first = await startEverything(port);
    const slow = await http.tool('everything__trigger-long-running-operation');
    const call = slow.call({ duration: 60, steps: 1 }, toolIo());
    const killed = expect(call).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true });
    // It has a session for it, and the call is on its way.
    await vi.waitFor(async () => expect(await first.log()).toContain('Received MCP POST'));
    first.signal('SIGKILL');
    await killed;
    await vi.waitFor(() => expect(http.server.health().ok).toBe(false), 20_000);

    await startEverything(port);
    await vi.waitFor(() => expect(http.server.health().ok).toBe(true), 30_000);
    const sum = await (await http.tool('everything__get-sum')).call({ a: 20, b: 22 }, toolIo());
    expect(sum.value).toMatch(/42/);
  });
});

async function startEverything(port: number): Promise<GuardedProcess> {
  const directory = opened.use(await temporaryDirectory());
  const parameters = [`PORT=${port}`, process.execPath, everything, 'streamableHttp'];
  const server = await spawnGuarded('env', parameters, { directory: directory.path });
  opened.defer(async () => {
    server.signal('SIGKILL');
    await server.exited;
  });
  return server;
}
