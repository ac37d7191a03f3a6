import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startGatewayWithVendor, type TestGateway } from '../helpers/gateway.ts';
import { ask } from './edge.ts';

const upgrade = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-protocol': 'graphql-transport-ws',
};

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
beforeAll(async () => {
  ({ gateway } = opened.use(await startGatewayWithVendor()));
});
afterAll(() => opened.disposeAsync());

const isWell = async () => expect(await gateway.data('{ health { ok } }')).toEqual({ health: { ok: true } });

describe('a connection that does not become a WebSocket', () => {
  it.each<[string, string, Readonly<Record<string, string>>, number, string, RegExp]>([
    ['on another path', '/nowhere', {}, 404, 'NOT_FOUND', /\/nowhere.*\/graphql/],
    ['on the path of server-sent events', '/graphql/stream', {}, 404, 'NOT_FOUND', /\/graphql\/stream/],
    [
      'from the page of another origin',
      '/graphql',
      { origin: 'https://evil.example' },
      403,
      'FORBIDDEN',
      /allowedOrigins/,
    ],
    ['by a name that is not loopback', '/graphql', { host: 'evil.example' }, 403, 'FORBIDDEN', /host/],
  ])('%s is told why, as a GraphQL result', async (_name, path, headers, status, code, message) => {
    const answer = await ask(gateway.url, { path, headers: { ...upgrade, ...headers } });
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toEqual({
      errors: [{ message: expect.stringMatching(message), extensions: { code, retryable: false } }],
    });
  });

  it('may be gone before it is told: the gateway stays', async () => {
    const head = Object.entries({ host: '127.0.0.1', ...upgrade }).map(([name, value]) => `${name}: ${value}\r\n`);
    for (let round = 0; round < 20; round++) {
      const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
      await once(socket, 'connect');
      socket.write(`GET /nowhere HTTP/1.1\r\n${head.join('')}\r\n`, () => socket.resetAndDestroy());
      await once(socket, 'close');
    }
    await isWell();
  });
});

describe('a socket', () => {
  const open = async (): Promise<WebSocket> => {
    const socket = new WebSocket(gateway.webSocketUrl, 'graphql-transport-ws');
    await once(socket, 'open');
    return socket;
  };

  it.each<[string, readonly (string | Buffer)[], number]>([
    ['no JSON', ['{'], 4400],
    ['bytes', [Buffer.from([0xff, 0x00])], 4400],
    ['a message of no known type', ['{"type":"start"}'], 4400],
    [
      'an operation before it is initialised',
      ['{"id":"1","type":"subscribe","payload":{"query":"{ health { ok } }"}}'],
      4401,
    ],
    ['two initialisations', ['{"type":"connection_init"}', '{"type":"connection_init"}'], 4429],
    [
      'an operation without a query',
      ['{"type":"connection_init"}', '{"id":"1","type":"subscribe","payload":{"query":7}}'],
      4400,
    ],
  ])('that sends %s is closed with the code for it, and the others stay', async (_name, frames, expected) => {
    const other = gateway.socket();
    await other.iterate({ query: '{ health { ok } }' }).next();
    const socket = await open();
    const closed = once(socket, 'close');
    for (const frame of frames) socket.send(frame);
    const [code] = await closed;
    expect(code).toBe(expected);
    expect((await other.iterate({ query: '{ health { ok } }' }).next()).value).toEqual({
      data: { health: { ok: true } },
    });
  });

  it('that does not speak the protocol is refused it', async () => {
    const socket = new WebSocket(gateway.webSocketUrl, 'graphql-ws');
    const [error] = await once(socket, 'error');
    expect(String(error)).toContain('no subprotocol');
    await isWell();
  });

  it('that is cut in the middle of everything leaves the gateway well', async () => {
    for (let round = 0; round < 10; round++) {
      const socket = await open();
      socket.send('{"type":"connection_init"}');
      socket.send(
        `{"id":"1","type":"subscribe","payload":{"query":"subscription { chat(input: { message: \\"Hi\\" }) { seq } }"}}`,
      );
      socket.terminate();
      await once(socket, 'close');
    }
    await isWell();
  });
});
