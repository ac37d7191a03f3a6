import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { configFile } from '../helpers/config-file.ts';
import { temporaryDataDirectory } from '../helpers/embedded-database.ts';
import { startGateway } from '../helpers/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../helpers/gateway-process.ts';
import { startVendor, type Vendor } from '../helpers/vendor/vendor.ts';

const opened = new AsyncDisposableStack();
let vendor: Vendor;
let dataDir: string;
beforeAll(async () => {
  vendor = opened.use(await startVendor());
  dataDir = opened.use(await temporaryDataDirectory()).path;
});
afterAll(() => opened.disposeAsync());

async function startProcess(): Promise<GatewayProcess> {
  return await startGatewayProcess({
    dataDir,
    environment: {
      SLUICE_SEED_DOCS: 'false',
      OPENAI_BASE_URL: vendor.url,
      OPENAI_API_KEY: 'sk-test-0123456789abcdef',
    },
  });
}

interface Message {
  readonly id?: string;
  readonly type: string;
  readonly payload?: { readonly data?: { readonly chat?: { readonly __typename: string } } };
}

/** A socket with its messages so far and its end, by the bare protocol: a client library would connect again. */
async function openSocket(url: string) {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), 'graphql-transport-ws');
  const messages: Message[] = [];
  socket.on('message', (data) => messages.push(JSON.parse(String(data))));
  const closed = once(socket, 'close').then(([code, reason]) => ({ code, reason: String(reason) }));
  await once(socket, 'open');
  socket.send('{"type":"connection_init"}');
  await expect.poll(() => messages.length).toBe(1);
  const subscribe = (id: string, query: string, variables: object) =>
    socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query, variables } }));
  const eventsOf = (id: string) =>
    messages.flatMap((message) => (message.id === id ? (message.payload?.data?.chat?.__typename ?? []) : []));
  return { messages, closed, subscribe, eventsOf };
}

/** By a connection of its own: one that is kept alive is open already. */
function letsIn(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  return new Promise((resolve) => {
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

const chat = 'subscription ($input: StartChatInput!) { chat(input: $input) { __typename } }';
const runQuery = `query ($runId: UUID!) {
  run(runId: $runId) { status error { code retryable } ... on ChatRun { reply { text finishReason } } }
}`;

describe('SIGTERM', () => {
  it('lets a generation end, refuses new work meanwhile, closes sockets as to be opened again, and exits 0', async () => {
    await using gateway = await startProcess();
    // Nor do those hold it up that are open and idle.
    const idle = await Promise.all([openSocket(gateway.url), openSocket(gateway.url)]);
    const gate = Promise.withResolvers<void>();
    vendor.next({ hold: gate.promise, reply: 'Said after the signal.' });
    const runId = randomUUID();
    const socket = await openSocket(gateway.url);
    socket.subscribe('1', chat, { input: { runId, message: 'Why?' } });
    await vendor.waitForCall('/chat/completions', vendor.calls('/chat/completions').length + 1);
    const response = await fetch(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: chat, variables: { input: { runId, message: 'Why?' } } }),
    });

    const exitCode = gateway.stop();
    // Nobody new is let in: the port is closed, and a start on a socket that is open is refused.
    await expect.poll(() => letsIn(gateway.url)).toBe(false);
    socket.subscribe('2', chat, { input: { message: 'And I?' } });
    await expect
      .poll(() => socket.messages.find(({ id }) => id === '2'))
      .toMatchObject({
        payload: { errors: [{ extensions: { code: 'UPSTREAM_UNAVAILABLE', retryable: true } }] },
      });
    expect(socket.eventsOf('1')).not.toContain('RunFinished');

    gate.resolve();
    expect(await socket.closed).toEqual({ code: 1012, reason: expect.stringContaining('connect again') });
    expect(socket.eventsOf('1').at(-1)).toBe('RunFinished');
    expect(socket.messages.at(-1)).toEqual({ id: '1', type: 'complete' });
    expect(await response.text()).toMatch(/RunFinished.*event: complete/s);
    for (const { closed } of idle) expect(await closed).toMatchObject({ code: 1012 });
    expect(await exitCode).toBe(0);

    await using next = await startGateway({ dataDir, vendor });
    expect(await next.data(runQuery, { runId })).toEqual({
      run: { status: 'SUCCEEDED', error: null, reply: { text: 'Said after the signal.', finishReason: 'STOP' } },
    });
  }, 180_000);

  it('ends what is not over within the drain period as failed, to be tried again, and keeps what had come', async () => {
    // What the signal calls, in this process: what becomes of the process is seen above.
    await using file = await configFile({ timeouts: { drainMs: 200 } });
    await using gateway = await startGateway({ ...file, dataDir, vendor });
    vendor.next({ silentAfter: 3, reply: 'One two three and no more.' });
    const runId = randomUUID();
    const socket = await openSocket(gateway.url);
    socket.subscribe('1', chat, { input: { runId, message: 'Why?' } });
    await expect.poll(() => socket.eventsOf('1')).toContain('TextMessageDelta');
    // By a connection that is kept alive, and does not hold it up.
    await gateway.data('{ health { ok } }');
    await gateway.close();
    expect(await socket.closed).toMatchObject({ code: 1012 });
    expect(socket.eventsOf('1').at(-1)).toBe('RunFailed');

    await using next = await startGateway({ dataDir, vendor });
    expect(await next.data(runQuery, { runId })).toMatchObject({
      run: {
        status: 'FAILED',
        error: { code: 'UPSTREAM_UNAVAILABLE', retryable: true },
        reply: { text: expect.stringMatching(/^One/), finishReason: 'ERROR' },
      },
    });
  });
});
