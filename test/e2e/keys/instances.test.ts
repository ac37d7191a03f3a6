import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type CreatedKey, createKey, revokeKey } from '../../helpers/api-keys.ts';
import { startGateway, type TestGateway } from '../../helpers/gateway.ts';
import { hasRedis, type RedisServer, startRedis } from '../../helpers/redis-server.ts';
import { temporaryDatabase } from '../../helpers/test-database.ts';

const withinMs = 5_000;
const viewer = '{ viewer { keyName } }';

/* Runs on PostgreSQL only: see vitest.config.ts. */
describe.skipIf(!hasRedis)('two instances', () => {
  const opened = new AsyncDisposableStack();
  let redis: RedisServer;
  let here: TestGateway;
  let there: TestGateway;
  let keeper: CreatedKey;
  beforeAll(async () => {
    redis = opened.use(await startRedis());
    const { environment } = opened.use(await temporaryDatabase());
    const together = { environment: { ...environment, REDIS_URL: redis.url } };
    here = opened.use(await startGateway(together));
    there = opened.use(await startGateway(together));
  });
  afterAll(() => opened.disposeAsync());

  it('the first key, made at one, closes the other', async () => {
    expect((await there.request(viewer)).data).toEqual({ viewer: { keyName: null } });
    const open = await connected({});
    keeper = await createKey(here, { name: 'keeper', scopes: ['ADMIN'] });
    expect(await open.closed).toMatchObject({ code: 4403, ms: expect.toSatisfy(isSoon) });
    expect((await there.request(viewer)).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    expect((await there.request(viewer, {}, { headers: keeper.headers })).data).toEqual({
      viewer: { keyName: 'keeper' },
    });
  });

  it.each(['with', 'without'])('a key revoked at one ends its sockets at the other, %s word by Redis', async (how) => {
    const { id, headers, secret } = await createKey(here, { scopes: ['CHAT'] }, keeper.secret);
    const open = await connected({ authorization: `Bearer ${secret}` });
    expect((await there.request(viewer, {}, { headers })).errors).toBeUndefined();
    if (how === 'without') redis.suspend();
    try {
      open.start();
      expect(await revokeKey(here, id, keeper.secret)).toBe(1);
      expect(await open.closed).toMatchObject({ code: 4403, ms: expect.toSatisfy(isSoon) });
      expect((await there.request(viewer, {}, { headers })).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    } finally {
      redis.resume();
    }
  });

  const isSoon = (ms: number): boolean => ms < withinMs;

  /** A socket at the other instance, with how long it stays open from now on, or from `start` on. */
  async function connected(connectionParams: Record<string, unknown>) {
    let from = performance.now();
    const client = createClient({
      ...{ url: there.webSocketUrl, webSocketImpl: WebSocket, connectionParams },
      ...{ lazy: false, retryAttempts: 0, onNonLazyError: () => {} },
    });
    opened.defer(() => client.dispose());
    const closed = new Promise<{ readonly code: number; readonly ms: number }>((resolve) => {
      client.on('closed', (event) => resolve({ code: (event as CloseEvent).code, ms: performance.now() - from }));
    });
    await new Promise<void>((resolve) => void client.on('connected', () => resolve()));
    from = performance.now();
    const start = (): void => {
      from = performance.now();
    };
    return { closed, start };
  }
});
