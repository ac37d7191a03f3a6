import { randomUUID } from 'node:crypto';
import { on, once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { TestGateway } from '../../helpers/gateway.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { expectRefusal, startSmall } from './setup.ts';

const opened = new AsyncDisposableStack();
let small: TestGateway;
let vendor: Vendor;
beforeAll(async () => {
  ({ gateway: small, vendor } = opened.use(await startSmall()));
});
afterAll(() => opened.disposeAsync());

describe('sockets', () => {
  const open = async (): Promise<WebSocket> => {
    const socket = new WebSocket(small.webSocketUrl, 'graphql-transport-ws');
    await once(socket, 'open');
    return socket;
  };

  it('beyond the limit are refused with the reason, over HTTP, and there is room again when one closes', async () => {
    await expect.poll(socketIsRefused).toBe(null);
    const sockets = [await open(), await open(), await open()];
    expect(await socketIsRefused()).toEqual({
      status: 503,
      body: {
        errors: [
          {
            message: expect.stringContaining('3 WebSocket connections are open (limits.maxSockets)'),
            extensions: { code: 'RATE_LIMITED', retryable: true },
          },
        ],
      },
    });
    expect(await small.data('{ health { ok } }')).toEqual({ health: { ok: true } });
    sockets[0]?.close();
    await expect.poll(socketIsRefused).toBe(null);
    for (const socket of sockets) socket.close();
  });

  /** What one socket more is told; null when it is let in. */
  async function socketIsRefused(): Promise<object | null> {
    const socket = new WebSocket(small.webSocketUrl, 'graphql-transport-ws');
    return await new Promise((resolve, reject) => {
      socket.on('open', () => {
        socket.close();
        socket.on('close', () => resolve(null));
      });
      socket.on('unexpected-response', (_request, response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += String(chunk);
        });
        response.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(text) }));
      });
      socket.on('error', reject);
    });
  }

  it('carry so many operations at once, and what has ended or failed counts no longer', async () => {
    await expect.poll(socketIsRefused).toBe(null);
    const socket = await open();
    socket.send('{"type":"connection_init"}');
    await once(socket, 'message');
    let lastId = 0;
    /** The first message that an operation is answered with, and the id to end it by. */
    const begin = async (query: string) => {
      const id = String(++lastId);
      socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query } }));
      for await (const [data] of on(socket, 'message', { close: ['close'] })) {
        const message = JSON.parse(String(data));
        if (message.id === id) return message;
      }
      throw new Error('the socket was closed before an answer');
    };
    // More than fit at once, each of them over before the next one begins.
    for (const query of [
      '{ nothing }',
      '{',
      '{ node(id: "x") { id } }',
      'query A { health { ok } } query B { health { ok } }',
    ]) {
      for (let round = 0; round < 3; round++) {
        const { type, payload } = await begin(query);
        const errors = type === 'error' ? payload : payload.errors;
        expect(errors).toMatchObject([{ extensions: { code: 'BAD_INPUT' } }]);
      }
    }
    const held = await holdRun();
    const follow = `subscription { runEvents(runId: "${held.runId}") { seq } }`;
    const [first] = [await begin(follow), await begin(follow)];
    expect(first).toMatchObject({ type: 'next', payload: { data: { runEvents: { seq: 1 } } } });
    expect(await begin('{ health { ok } }')).toMatchObject({
      type: 'error',
      payload: [
        {
          message: expect.stringContaining('limits.maxOperationsPerSocket'),
          extensions: { code: 'RATE_LIMITED', retryable: true, limit: 2 },
        },
      ],
    });
    socket.send(JSON.stringify({ id: first.id, type: 'complete' }));
    expect(await begin('{ health { ok } }')).toMatchObject({ payload: { data: { health: { ok: true } } } });
    await held.release();
    socket.close();
  });
});

describe('runs', () => {
  const start = 'mutation ($input: StartChatInput!) { startChat(input: $input) { run { runId status } } }';

  it('execute so many at once, as many wait behind them, and one more is told when to come again', async () => {
    const held = await holdRun();
    const waiting = { runId: randomUUID(), message: 'And I?' };
    expect(await small.data(start, { input: waiting })).toEqual({
      startChat: { run: { runId: waiting.runId, status: 'QUEUED' } },
    });
    const refused = { runId: randomUUID(), message: 'And I too?' };
    expectRefusal(
      await small.request(start, { input: refused }),
      'RATE_LIMITED',
      'limits.maxRuns, limits.maxQueuedRuns',
      {
        retryable: true,
        retryAfterMs: expect.any(Number),
        limit: 2,
      },
    );
    const ingest = await small.request(
      'mutation { startIngest(input: { documents: [{ externalId: "a", text: "a" }] }) { run { runId } } }',
    );
    expectRefusal(ingest, 'RATE_LIMITED', 'limits.maxQueuedRuns');
    // Whoever asks again for a run that exists needs no room.
    expect(await small.data(start, { input: waiting })).toMatchObject({ startChat: { run: { runId: waiting.runId } } });
    await held.release();
    const finished = 'query ($runId: UUID!) { run(runId: $runId) { finished { status } } }';
    expect(await small.data(finished, { runId: waiting.runId })).toEqual({
      run: { finished: { status: 'SUCCEEDED' } },
    });
    expect(
      await small.data('query ($runId: UUID!) { run(runId: $runId) { status } }', { runId: refused.runId }),
    ).toEqual({ run: null });
    expect(await small.data(start, { input: refused })).toMatchObject({ startChat: { run: { runId: refused.runId } } });
    await small.data(finished, { runId: refused.runId });
  });
});

/** A run that the vendor keeps waiting until it is released; then it ends. */
async function holdRun(): Promise<{ readonly runId: string; readonly release: () => Promise<void> }> {
  const runId = randomUUID();
  const gate = Promise.withResolvers<void>();
  vendor.next({ hold: gate.promise, reply: 'At last.' });
  const calls = vendor.calls('/chat/completions').length;
  await small.data('mutation ($input: StartChatInput!) { startChat(input: $input) { run { runId } } }', {
    input: { runId, message: 'Wait.' },
  });
  await vendor.waitForCall('/chat/completions', calls + 1);
  return {
    runId,
    release: async () => {
      gate.resolve();
      await small.data('query ($runId: UUID!) { run(runId: $runId) { finished { status } } }', { runId });
    },
  };
}
