import { readFileSync } from 'node:fs';
import { createClient as createEventClient } from 'graphql-sse';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scopes } from '../../core/contracts/api-key-store.ts';
import { startGateway, type TestGateway } from '../helpers/gateway.ts';
import { startVendor, type Vendor } from '../helpers/vendor/vendor.ts';

const key = 'the-one-static-key-of-this-test';
const viewerQuery = '{ viewer { tenant keyName scopes } }';
const subscription = 'subscription { chat(input: { message: "Hello?" }) { __typename } }';

const opened = new AsyncDisposableStack();
let vendor: Vendor;
let gateway: TestGateway;
beforeAll(async () => {
  vendor = opened.use(await startVendor());
  gateway = opened.use(await startGateway({ vendor, environment: { SLUICE_API_KEY: key } }));
});
afterAll(() => opened.disposeAsync());

const post = (path: string, query: string, headers: Readonly<Record<string, string>>): Promise<Response> =>
  fetch(new URL(path, gateway.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });

/** A code after which clients of graphql-ws do not send the same key again. */
const refused = { code: 4401, reason: expect.stringMatching(/^UNAUTHENTICATED: .*connectionParams/) };

/** What is sent instead of the key. */
const wrong: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['nothing', {}],
  ['another key', { authorization: `Bearer ${'x'.repeat(key.length)}` }],
  ['the beginning of the key', { authorization: `Bearer ${key.slice(0, -1)}` }],
  ['the key and more', { authorization: `Bearer ${key}x` }],
  ['the key in another case', { authorization: `Bearer ${key.toUpperCase()}` }],
  ['the key alone', { authorization: key }],
  ['the key under another scheme', { authorization: `Basic ${key}` }],
  ['an empty one', { authorization: 'Bearer ' }],
  ['the key in another header', { 'x-api-key': key }],
];

describe('with SLUICE_API_KEY', () => {
  it('the key opens HTTP, and the viewer names it but does not show it', async () => {
    const result = await gateway.request<{ viewer: Record<string, unknown> }, unknown>(viewerQuery, undefined, {
      headers: { authorization: `bearer  ${key}` },
    });
    expect(result.data?.viewer).toEqual({
      tenant: 'default',
      keyName: 'SLUICE_API_KEY',
      scopes: [...scopes],
    });
  });

  it.each(wrong)('HTTP is refused with %s', async (_name, headers) => {
    const response = await post('/graphql', viewerQuery, headers);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    const body = await response.text();
    expect(JSON.parse(body)).toEqual({
      errors: [
        {
          message: expect.stringContaining('Authorization'),
          extensions: { code: 'UNAUTHENTICATED', retryable: false },
        },
      ],
    });
    expect(body).not.toContain(key);
  });

  it.each(['/graphql', '/graphql/stream'])('server-sent events need it too: %s', async (path) => {
    const accept = 'text/event-stream';
    for (const [, headers] of wrong) {
      const response = await post(path, subscription, { accept, ...headers });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
    }
    const response = await post(path, subscription, { accept, authorization: `Bearer ${key}` });
    expect(response.status).toBe(200);
    expect(await response.text()).toMatch(/"RunFinished".*event: complete/s);
  });

  it('a client of graphql-sse sends it in its headers', async () => {
    const url = new URL('/graphql/stream', gateway.url).href;
    const client = createEventClient({ url, headers: { authorization: `Bearer ${key}` } });
    const names: unknown[] = [];
    for await (const { data } of client.iterate<{ chat: { __typename: string } }>({ query: subscription })) {
      names.push(data?.chat.__typename);
    }
    expect(names.at(-1)).toBe('RunFinished');
    const stranger = createEventClient({ url, retryAttempts: 0 }).iterate({ query: subscription });
    await expect(stranger.next()).rejects.toThrow(/401|Unauthorized/);
  });

  it.each(['authorization', 'Authorization'])('a WebSocket sends it in its connectionParams, as %s', async (name) => {
    const socket = gateway.socket({ connectionParams: { [name]: `Bearer ${key}` } });
    const { value } = await socket.iterate<{ viewer: object }>({ query: viewerQuery }).next();
    expect(value.data?.viewer).toMatchObject({ keyName: 'SLUICE_API_KEY' });
  });

  it.each([...wrong.map(([name, headers]) => [name, headers] as const), ['a number', { authorization: 7 }] as const])(
    'a WebSocket is closed before any operation with %s',
    async (_name, connectionParams) => {
      const operation = gateway.socket({ connectionParams }).iterate({ query: viewerQuery });
      await expect(operation.next()).rejects.toMatchObject(refused);
    },
  );

  it('a header of the upgrade is not enough for a WebSocket, as browsers cannot set one', async () => {
    await expect(gateway.socket().iterate({ query: viewerQuery }).next()).rejects.toMatchObject(refused);
  });

  it.each(['/health', '/ready'])('%s answers without it', async (path) => {
    const response = await fetch(new URL(path, gateway.url));
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(path === '/health' ? { ok: true } : { ready: true });
  });

  it('GraphiQL opens without it, since a browser asks for the page before anybody can type a key', async () => {
    const response = await fetch(gateway.url, { headers: { accept: 'text/html' } });
    expect(response.status).toBe(200);
    expect(await response.text()).not.toContain(key);
  });

  it('the key is compared by digests of one length, in constant time', () => {
    const code = readFileSync(new URL('../../server/authenticate.ts', import.meta.url), 'utf8');
    expect(code).toMatch(/timingSafeEqual\(digest\(token\), expected\)/);
    expect(code).not.toMatch(/apiKey\s*[!=]==?\s*token|token\s*[!=]==?\s*apiKey/);
  });
});

it('without a key, on loopback, everybody is the tenant default', async () => {
  await using open = await startGateway({ vendor });
  expect(await open.data(viewerQuery)).toEqual({
    viewer: { tenant: 'default', keyName: null, scopes: [...scopes] },
  });
  const { value } = await open.socket().iterate<{ viewer: object }>({ query: viewerQuery }).next();
  expect(value.data?.viewer).toMatchObject({ tenant: 'default', keyName: null });
});
