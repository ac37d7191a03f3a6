import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { RedisConnections } from '../../../adapters/redis/connections.ts';
import { nameOf, RedisKeys } from '../../../adapters/redis/keys.ts';
import { type RedisRunStoreOptions, redisRunStore } from '../../../adapters/redis/run-store.ts';
import type { UnstoredRunStore } from '../../../core/contracts/run-store.ts';
import { realClock } from '../../../server/real-clock.ts';
import { newRun, runStoreContract } from '../../contract/run-store.ts';
import { startProxy } from '../../helpers/proxy.ts';
import { hasRedis, type RedisServer, startRedis } from '../../helpers/redis-server.ts';
import { connectTo, silent } from './setup.ts';

const patience = { timeout: 20_000, interval: 20 };
const keys = new RedisKeys('sluice:');

describe.skipIf(!hasRedis)('redisRunStore', () => {
  let server: RedisServer;
  let shared: UnstoredRunStore;
  let redis: RedisConnections;
  beforeAll(async () => {
    server = await startRedis();
    redis = new RedisConnections({ url: server.url, clock: realClock, logger: silent });
    shared = redisRunStore({ redis, clock: realClock, retentionMs: 60_000 });
  });
  afterAll(async () => {
    redis?.close();
    await server?.[Symbol.asyncDispose]();
  });

  runStoreContract('redisRunStore', () => ({
    store: shared,
    stored: false,
    alignCreation: async (tenant) => {
      const list = keys.of('runs', tenant);
      for (const runId of await server.client.zrange(list, '0', '-1')) {
        await server.client.hset(keys.of('run', nameOf({ tenant, runId })), 'createdAt', '1700000000000');
        await server.client.zadd(list, 1_700_000_000_000, runId);
      }
    },
  }));

  /** The store of one instance more. */
  function opened(options: Partial<RedisRunStoreOptions> & { readonly url?: string } = {}): UnstoredRunStore {
    const { url = server.url, ...rest } = options;
    return redisRunStore({ redis: connectTo(url), clock: realClock, retentionMs: 60_000, ...rest });
  }

  const reply = {
    id: 'message',
    conversationId: 'none',
    parentId: null,
    role: 'ASSISTANT',
    parts: [{ type: 'text', text: 'the answer' }],
    object: null,
    citations: [],
    verification: null,
    finishReason: 'STOP',
    model: 'm',
    usage: null,
  } as const;

  it('refuses a turn: an unstored run writes no conversation', async () => {
    const turn = { conversation: { type: 'existing', id: 'c' }, parentMessageId: null, question: null } as const;
    const run = newRun('t');
    await expect(shared.claim(run, turn, 'instance')).rejects.toThrow('turn');
    expect(await shared.byRunIds('t', [run.runId])).toEqual([]);
  });

  it('keeps the reply with its run, for every instance', async () => {
    const [here, there] = [opened(), opened()];
    const run = newRun('t');
    await here.claim(run, null, 'here');
    expect(await there.reply(run)).toBeNull();
    await here.update(run, 1, { status: 'SUCCEEDED' }, reply);
    expect(await there.reply(run)).toEqual({ ...reply, createdAt: expect.any(Date) });
    expect(await there.byRunIds('t', [run.runId])).toMatchObject([{ status: 'SUCCEEDED' }]);
  });

  it('drops a run once the retention after its end has passed, and its id can be claimed anew', async () => {
    const store = opened({ retentionMs: 150 });
    const tenant = crypto.randomUUID();
    const run = newRun(tenant);
    await store.claim(run, null, 'instance');
    await store.update(run, 1, { status: 'SUCCEEDED' });
    await vi.waitFor(async () => expect(await store.byRunIds(tenant, [run.runId])).toEqual([]), patience);
    expect((await store.list(tenant, {}, { first: 10, after: null })).items).toEqual([]);
    expect(await server.client.zcard(keys.of('runs', tenant))).toBe(0);
    expect((await store.claim({ ...run, inputHash: 'other' }, null, 'instance')).created).toBe(true);
  });

  it('pages through more runs than it reads at once, and finds the few that a filter wants among them', async () => {
    const tenant = crypto.randomUUID();
    const runs = Array.from({ length: 450 }, (_, n) => newRun(tenant, { user: n % 200 === 0 ? 'rare' : null }));
    for (const run of runs) await shared.claim(run, null, 'instance');
    const { items } = await shared.list(tenant, { user: 'rare' }, { first: 10, after: null });
    expect(items.map(({ item }) => item.runId)).toEqual([400, 200, 0].map((n) => runs[n]?.runId));
    const all: string[] = [];
    for (let after: readonly (string | number)[] | null = null; ; ) {
      const page = await shared.list(tenant, {}, { first: 100, after });
      all.push(...page.items.map(({ item }) => item.runId));
      after = page.items.at(-1)?.key ?? null;
      if (!page.hasNext) break;
    }
    expect(new Set(all)).toEqual(new Set(runs.map(({ runId }) => runId)));
    expect(all).toHaveLength(450);
  });

  describe('an instance that goes', () => {
    it('leaves its runs to be found as failed and retryable, and can write no more', async () => {
      const [gone, other] = [opened(), opened()];
      const tenant = crypto.randomUUID();
      const [dead, alive] = [newRun(tenant), newRun(tenant)];
      await gone.heartbeat({ instance: 'gone', leaseMs: 300 });
      await gone.claim(dead, null, 'gone');
      await gone.update(dead, 1, { status: 'RUNNING' });
      await other.heartbeat({ instance: 'other', leaseMs: 300 });
      await other.claim(alive, null, 'other');
      const beating = setInterval(() => void other.heartbeat({ instance: 'other', leaseMs: 300 }), 50);
      onTestFinished(() => clearInterval(beating));
      await vi.waitFor(async () => {
        expect(await other.byRunIds(tenant, [dead.runId])).toMatchObject([
          { status: 'FAILED', attempt: 2, error: { retryable: true }, finishedAt: expect.any(Date) },
        ]);
      }, patience);
      expect(await other.byRunIds(tenant, [alive.runId])).toMatchObject([{ status: 'QUEUED' }]);
      expect(await gone.update(dead, 1, { status: 'SUCCEEDED' })).toBe(false);
      expect(await gone.stillOwned([{ ...dead, attempt: 1 }])).toEqual([]);
      expect(await gone.heartbeat({ instance: 'gone', leaseMs: 5_000 })).toMatchObject({ lapsed: true });
      expect(await gone.heartbeat({ instance: 'gone', leaseMs: 5_000 })).toMatchObject({ lapsed: false });
      expect(await other.requestCancel(dead, 'too late')).toBe(false);
      expect(await other.input(dead)).toBeNull();
      const again = await other.claim(dead, null, 'other');
      expect(again).toMatchObject({ created: false, run: { status: 'FAILED' } });
      expect((await other.list(tenant, { status: 'FAILED' }, { first: 5, after: null })).items).toHaveLength(1);
    });

    it('hears of a cancel that was asked for at another one', async () => {
      const [here, there] = [opened(), opened()];
      const lease = { instance: crypto.randomUUID(), leaseMs: 60_000 };
      await here.heartbeat(lease);
      const run = newRun('t');
      await here.claim(run, null, lease.instance);
      expect(await there.requestCancel(run, 'from elsewhere')).toBe(true);
      expect((await here.heartbeat(lease)).cancels).toEqual([
        { key: { tenant: 't', runId: run.runId }, reason: 'from elsewhere' },
      ]);
      await here.update(run, 1, { status: 'CANCELLED' });
      expect((await here.heartbeat(lease)).cancels).toEqual([]);
    });
  });

  describe('an outage', () => {
    it('of the server kills no run, though all leases expire in it', async () => {
      const own = await startRedis();
      onTestFinished(() => own[Symbol.asyncDispose]());
      const [here, there] = [opened({ url: own.url }), opened({ url: own.url })];
      const run = newRun('t');
      const leases = [here, there].map((store, n) => () => store.heartbeat({ instance: `i${n}`, leaseMs: 60_000 }));
      for (const renew of leases) await renew();
      await here.claim(run, null, 'i0');
      await own.stop();
      await expect(there.byRunIds('t', [run.runId])).rejects.toMatchObject({
        code: 'UPSTREAM_UNAVAILABLE',
        retryable: true,
      });
      await own.start('kept');
      // As they do in an outage that is longer than they are.
      expect(await own.client.del(keys.of('lease', 'i0'), keys.of('lease', 'i1'))).toBe(2);
      await vi.waitFor(async () => {
        expect(await there.byRunIds('t', [run.runId])).toMatchObject([{ status: 'QUEUED', attempt: 1 }]);
      }, patience);
      for (const renew of leases) expect(await renew()).toMatchObject({ lapsed: true });
      expect(await here.stillOwned([{ ...run, attempt: 1 }])).toHaveLength(1);
    });

    it('that empties Redis loses no run that is under way', async () => {
      const own = await startRedis();
      onTestFinished(() => own[Symbol.asyncDispose]());
      const [here, there] = [opened({ url: own.url }), opened({ url: own.url })];
      const lease = { instance: 'i', leaseMs: 60_000 };
      const [first, second] = [newRun('t', { user: 'ann' }), newRun('t')];
      await here.heartbeat(lease);
      for (const run of [first, second]) {
        await here.claim(run, null, 'i');
        await here.update(run, 1, { status: 'RUNNING' });
      }
      const before = await there.byRunIds('t', [first.runId, second.runId]);
      await own.client.flushall();
      expect(await here.heartbeat(lease)).toMatchObject({ lapsed: true });
      expect(await here.stillOwned([first, second].map((run) => ({ ...run, attempt: 1 })))).toHaveLength(2);
      const after = await there.byRunIds('t', [first.runId, second.runId]);
      const withoutStart = (runs: typeof before) => runs.map((run) => ({ ...run, startedAt: null }));
      expect(withoutStart(after)).toEqual(withoutStart(before));
      expect(after[0]?.startedAt).toEqual(expect.any(Date));
      expect(await there.input(first)).toEqual({ message: 'hello' });
      expect((await there.list('t', {}, { first: 5, after: null })).items).toHaveLength(2);
      await own.client.flushall();
      // Also when nobody has looked in between.
      expect(await here.update(first, 1, { status: 'SUCCEEDED' }, reply)).toBe(true);
      expect(await there.byRunIds('t', [first.runId])).toMatchObject([{ status: 'SUCCEEDED', user: 'ann' }]);
      expect(await there.reply(first)).toMatchObject({ id: 'message' });
      // What has ended is not put back.
      await own.client.flushall();
      expect(await here.stillOwned([{ ...first, attempt: 1 }])).toEqual([]);
      expect(await here.update(first, 1, { status: 'RUNNING' })).toBe(false);
    });

    it('between a claim, or a write, and its answer does them once', async () => {
      await using proxy = await startProxy(server);
      const here = opened({ url: `redis://127.0.0.1:${proxy.port}` });
      const there = opened();
      const run = newRun(crypto.randomUUID());
      await here.byRunIds(run.tenant, []);
      await vi.waitFor(() => expect(proxy.connections).toBe(1), patience);
      await here.byRunIds(run.tenant, [run.runId]);
      for (const step of ['claim', 'update'] as const) {
        proxy.holdAnswers();
        const done =
          step === 'claim'
            ? here.claim(run, null, 'i').then(({ created }) => created)
            : here.update(run, 1, { status: 'SUCCEEDED' });
        const status = step === 'claim' ? 'QUEUED' : 'SUCCEEDED';
        await vi.waitFor(async () => {
          expect(await there.byRunIds(run.tenant, [run.runId])).toMatchObject([{ status }]);
        }, patience);
        proxy.cut();
        proxy.flow();
        expect(await done).toBe(true);
      }
    });

    it('that lasts takes a claim back that nobody heard of', async () => {
      await using proxy = await startProxy(server);
      const here = opened({ url: `redis://127.0.0.1:${proxy.port}` });
      const there = opened();
      const run = newRun(crypto.randomUUID());
      const lease = { instance: crypto.randomUUID(), leaseMs: 60_000 };
      await here.heartbeat(lease);
      proxy.holdAnswers();
      const claim = here.claim(run, null, lease.instance);
      await expect(claim).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true });
      expect(await there.byRunIds(run.tenant, [run.runId])).toHaveLength(1);
      proxy.cut();
      proxy.flow();
      await vi.waitFor(() => here.heartbeat(lease), patience);
      expect(await there.byRunIds(run.tenant, [run.runId])).toEqual([]);
    });
  });
});
