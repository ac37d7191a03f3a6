import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import { configFile } from '../helpers/config-file.ts';
import { ask, askGraphql, type Edge, startEdge } from './edge.ts';

const healthy = { ok: true, version: '0', components: [], eventLoopDelayP99Ms: 0 };
const okQuery = '{ health { ok } }';
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const opened = new AsyncDisposableStack();
let edge: Edge;
let broken: () => never = () => {
  throw new Error('not told yet how to break');
};
beforeAll(async () => {
  const health = () => healthy;
  const models = { list: () => broken() } as never; // the only part of it that is asked for
  edge = opened.use(await startEdge({ health, models }));
});
afterAll(() => opened.disposeAsync());

describe('the id of a request', () => {
  it("is the client's own, where it is fit to be logged", async () => {
    for (const given of ['a', 'trace-1.2_3', 'x'.repeat(100)]) {
      const { headers } = await askGraphql(edge.url, okQuery, { 'x-request-id': given });
      expect(headers['x-request-id']).toBe(given);
    }
  });

  it('is made otherwise, another one each time', async () => {
    const ids: unknown[] = [];
    for (const given of [undefined, '', 'a b', 'x'.repeat(101), '{"level":"error"}', 'é']) {
      const { headers } = await askGraphql(edge.url, okQuery, given === undefined ? {} : { 'x-request-id': given });
      expect(headers['x-request-id']).toMatch(uuid);
      ids.push(headers['x-request-id']);
    }
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('stands on every answer, also on those that are no GraphQL', async () => {
    for (const path of ['/health', '/ready', '/', '/nowhere']) {
      expect((await ask(edge.url, { path, headers: { 'x-request-id': 'mine' } })).headers['x-request-id']).toBe('mine');
    }
  });
});

describe('an address', () => {
  it.each(['/nowhere', '/graphql/', '/graphqlx', '//graphql', '/%', '/graphql/stream/x'])(
    'where there is nothing is 404, and says where the endpoint is: %s',
    async (path) => {
      const { status, body } = await ask(edge.url, { path });
      expect(status).toBe(404);
      expect(JSON.parse(body)).toEqual({
        errors: [{ message: expect.stringContaining('/graphql'), extensions: { code: 'NOT_FOUND', retryable: false } }],
      });
    },
  );

  it('of no path leads to the endpoint', async () => {
    const { status, headers } = await ask(edge.url, { path: '/' });
    expect({ status, location: headers.location }).toEqual({ status: 307, location: '/graphql' });
  });
});

describe('a gateway that is not ready', () => {
  it('is alive, says why it is not ready, and refuses operations as to be tried again', async () => {
    edge.becomes('it is opening its database');
    try {
      expect(await ask(edge.url, { path: '/health' })).toMatchObject({ status: 200, body: '{"ok":true}' });
      const ready = await ask(edge.url, { path: '/ready' });
      expect(ready).toMatchObject({ status: 503, headers: { 'cache-control': 'no-store' } });
      expect(JSON.parse(ready.body)).toEqual({ ready: false, reason: 'it is opening its database' });
      for (const path of ['/graphql', '/graphql/stream']) {
        const { status, body } = await askGraphql(new URL(path, edge.url).href, okQuery);
        expect(status).toBe(503);
        expect(JSON.parse(body)).toMatchObject({
          errors: [
            {
              message: expect.stringContaining('opening'),
              extensions: { code: 'UPSTREAM_UNAVAILABLE', retryable: true },
            },
          ],
        });
      }
    } finally {
      edge.becomes(null);
    }
    expect(await ask(edge.url, { path: '/ready' })).toMatchObject({ status: 200, body: '{"ready":true}' });
  });
});

describe('an error that is ours', () => {
  const secret = 'password=hunter2 of the database';
  it.each<[string, () => Error]>([
    ['any error', () => new Error(secret)],
    ['one that a part of the gateway calls INTERNAL', () => new GatewayError('INTERNAL', secret)],
    ['something that is no error', () => secret as never],
  ])('tells a client nothing but the id under which the log has it: %s', async (_name, make) => {
    broken = () => {
      throw make();
    };
    const requestId = `broken-${edge.log.length}`;
    const before = edge.log.length;
    const { body, status, headers } = await askGraphql(edge.url, '{ models { name } }', { 'x-request-id': requestId });
    expect(status).toBeLessThan(500);
    expect(headers['x-request-id']).toBe(requestId);
    expect(JSON.parse(body)).toMatchObject({
      data: null,
      errors: [
        {
          message: expect.stringMatching(/^Internal error/),
          path: ['models'],
          extensions: { code: 'INTERNAL', retryable: false, requestId },
        },
      ],
    });
    expect(body).not.toContain('hunter2');
    expect(edge.log.slice(before)).toMatchObject([{ level: 'error', requestId }]);
    expect(JSON.stringify(edge.log)).not.toContain('hunter2');
  });

  it('keeps it to itself in a stream of events too', async () => {
    broken = () => {
      throw new Error(secret);
    };
    const { body } = await askGraphql(edge.url, '{ models { name } }', { accept: 'text/event-stream' });
    expect(body).toMatch(/"code":"INTERNAL".*"requestId":"/);
    expect(body).not.toContain('hunter2');
  });

  it('says whether another try may help', async () => {
    broken = () => {
      throw new GatewayError('INTERNAL', 'the connection is gone', { retryable: true });
    };
    const { body } = await askGraphql(edge.url, '{ models { name } }');
    expect(JSON.parse(body)).toMatchObject({ errors: [{ extensions: { code: 'INTERNAL', retryable: true } }] });
  });
});

describe('a client that leaves in the middle of its request', () => {
  it('leaves no error in the log', async () => {
    const before = edge.log.length;
    for (const encoding of ['Transfer-Encoding: chunked\r\n\r\n5\r\n{"que', 'Content-Length: 500\r\n\r\n{"que']) {
      const socket = connect(Number(new URL(edge.url).port), '127.0.0.1');
      await once(socket, 'connect');
      socket.write(`POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n${encoding}`);
      // An answer to another request says that this one has been read as well.
      await ask(edge.url, { path: '/health' });
      socket.resetAndDestroy();
      await once(socket, 'close');
    }
    await askGraphql(edge.url, okQuery);
    expect(edge.log.slice(before).filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('a web page', () => {
  const preflight = {
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type',
  };
  let keyed: Edge;
  const key = 'a-key-of-16-characters';
  beforeAll(async () => {
    const file = opened.use(await configFile({ apiKey: key, allowedOrigins: ['https://app.example'] }));
    keyed = opened.use(await startEdge({ health: () => healthy }, file.environment));
  });

  it.each(['http://localhost:5173', 'http://127.0.0.1:9', 'http://[::1]:8080', 'https://app.example'])(
    'of loopback, or of an origin that is listed, may call: %s',
    async (origin) => {
      const asked = await ask(keyed.url, { method: 'OPTIONS', headers: { origin, ...preflight } });
      expect(asked).toMatchObject({
        status: 204,
        headers: {
          'access-control-allow-origin': origin,
          'access-control-allow-methods': expect.stringContaining('POST'),
          'access-control-allow-headers': 'authorization,content-type',
          vary: 'Origin',
        },
      });
      const answered = await askGraphql(keyed.url, okQuery, { origin, authorization: `Bearer ${key}` });
      expect(answered).toMatchObject({
        status: 200,
        headers: {
          'access-control-allow-origin': origin,
          'access-control-expose-headers': 'X-Request-Id, Mcp-Session-Id',
        },
      });
      expect(answered.headers).not.toHaveProperty('access-control-allow-credentials');
      // A page can show why it was refused.
      const refused = await askGraphql(keyed.url, okQuery, { origin });
      expect(refused).toMatchObject({ status: 401, headers: { 'access-control-allow-origin': origin } });
    },
  );

  it.each([
    'https://evil.example',
    'https://app.example.evil.example',
    'http://app.example',
    'null',
    'not a url',
    'http://127.0.0.1.evil.example',
  ])('of another origin may not, with or without the key: %s', async (origin) => {
    for (const method of ['OPTIONS', 'POST'] as const) {
      const refused = await ask(keyed.url, {
        method,
        headers: { origin, authorization: `Bearer ${key}`, ...preflight },
      });
      expect(refused.status).toBe(403);
      expect(refused.headers).not.toHaveProperty('access-control-allow-origin');
      expect(JSON.parse(refused.body)).toMatchObject({
        errors: [{ extensions: { code: 'FORBIDDEN' }, message: expect.stringContaining('allowedOrigins') }],
      });
    }
  });

  it("may be the gateway's own, under whatever name it is reached", async () => {
    const headers = { host: 'gateway.example', origin: 'https://gateway.example', authorization: `Bearer ${key}` };
    expect(await askGraphql(keyed.url, okQuery, headers)).toMatchObject({ status: 200 });
  });

  it.each(['evil.example', 'evil.example:4000', '127.0.0.1.evil.example', '[', 'a b'])(
    'cannot reach a gateway without a key through a name that leads to it: %s',
    async (host) => {
      const asked = await askGraphql(edge.url, okQuery, { host });
      expect(asked.status).toBe(403);
      expect(await askGraphql(edge.url, okQuery, { host: 'localhost:1' })).toMatchObject({ status: 200 });
    },
  );
});
