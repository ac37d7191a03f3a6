import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { RunErrorRecord } from '../../core/contracts/run-event.ts';
import type { NewRun, RunFilter, RunRecord, RunStore } from '../../core/contracts/run-store.ts';
import { noUsage } from '../../core/models/usage/usage-meter.ts';

export interface RunStoreUnderTest {
  readonly store: RunStore;
  /** What `stored` says in its records. */
  readonly stored: boolean;
  /** Gives every run of the tenant the same time of creation. */
  alignCreation(tenant: string): Promise<void>;
}

const interrupted: RunErrorRecord = {
  code: 'INTERNAL',
  message: 'the process that executed it has ended',
  retryable: true,
  details: { requestId: 'r-1' },
};

/** A chat run that no turn belongs to, as a run with `store: false` is. */
export function newRun(tenant: string, changes: Partial<NewRun> = {}): NewRun {
  return {
    tenant,
    runId: randomUUID(),
    inputHash: 'hash-1',
    keyId: 'key-1',
    input: { message: 'hello' },
    user: null,
    metadata: {},
    whenUnwatched: 'FINISH',
    timeoutMs: null,
    detail: { kind: 'CHAT', conversationId: null, questionId: null, replyId: randomUUID() },
    ...changes,
  };
}

function newIngest(tenant: string, changes: Partial<NewRun> = {}): NewRun {
  const detail = {
    kind: 'INGEST',
    collectionId: 'c',
    documentsTotal: 3,
    documentsDone: 0,
    documentsSkipped: 0,
    failures: [],
    finishedBatches: [],
  } as const;
  return newRun(tenant, { detail, ...changes });
}

/** What every RunStore must do; `open` gives one store for all tests, which keep apart by their tenants. */
export function runStoreContract(name: string, open: () => RunStoreUnderTest): void {
  describe(`${name} keeps the contract of RunStore`, () => {
    it('gives back a claimed run whole', async () => {
      const { store, stored } = open();
      const run = newRun(randomUUID(), { user: 'ann', metadata: { team: 'blue' } });
      const claimed = await store.claim(run, null, 'instance');
      expect(claimed.created).toBe(true);
      const expected: RunRecord = {
        tenant: run.tenant,
        runId: run.runId,
        kind: 'CHAT',
        status: 'QUEUED',
        attempt: 1,
        inputHash: 'hash-1',
        keyId: 'key-1',
        stored,
        createdAt: expect.any(Date),
        startedAt: null,
        finishedAt: null,
        usage: noUsage,
        error: null,
        user: 'ann',
        metadata: { team: 'blue' },
        detail: run.detail,
        lastSeq: null,
      };
      expect(claimed.run).toEqual(expected);
      expect(await store.byRunIds(run.tenant, [run.runId])).toEqual([claimed.run]);
    });

    it('returns the run that has the id, with its own hash, when it is claimed again', async () => {
      const { store } = open();
      const run = newRun(randomUUID());
      const { run: first } = await store.claim(run, null, 'instance');
      const again = await store.claim({ ...run, inputHash: 'hash-2', input: { message: 'other' } }, null, 'instance');
      expect(again).toEqual({ run: first, created: false });
      expect(await store.input(run)).toEqual({ message: 'hello' });
    });

    it('lets exactly one of many concurrent claims create the run', async () => {
      const { store } = open();
      const run = newRun(randomUUID());
      const claims = await Promise.all(
        Array.from({ length: 8 }, (_, index) => store.claim({ ...run, inputHash: `hash-${index}` }, null, 'instance')),
      );
      expect(claims.filter((claim) => claim.created)).toHaveLength(1);
      const winner = claims.find((claim) => claim.created)?.run.inputHash;
      expect(new Set(claims.map((claim) => claim.run.inputHash))).toEqual(new Set([winner]));
    });

    it('keeps the input to the last character and key until the run ends, then frees it', async () => {
      const { store } = open();
      const input = {
        zebra: 1,
        a: [null, true, 1e300, 0.1, '𝄞 "quoted" \\ \u0001'],
        schema: { properties: { reason: {}, b: {}, answer: {} } },
      };
      const run = newRun(randomUUID(), { input });
      await store.claim(run, null, 'instance');
      await store.update(run, 1, { status: 'RUNNING' });
      expect(JSON.stringify(await store.input(run))).toBe(JSON.stringify(input));
      await store.update(run, 1, { status: 'SUCCEEDED' });
      expect(await store.input(run)).toBeNull();
      expect(await store.input({ ...run, runId: randomUUID() })).toBeNull();
    });

    it('writes a patch and leaves the rest as it was', async () => {
      const { store } = open();
      const run = newIngest(randomUUID());
      const { run: claimed } = await store.claim(run, null, 'instance');
      const startedAt = new Date('2026-01-02T03:04:05.678Z');
      const finishedAt = new Date('2026-01-02T03:04:09.001Z');
      const usage = { ...noUsage, inputTokens: 2 ** 40, calls: 3, costUsd: 0.1 + 0.2, estimated: true };
      const failures = [{ externalId: 'd-1', message: 'no text' }];
      const detail = { ...newIngest(run.tenant).detail, documentsDone: 2, failures } as RunRecord['detail'];
      expect(await store.update(run, 1, { status: 'RUNNING', startedAt })).toBe(true);
      expect(await store.update(run, 1, { detail })).toBe(true);
      expect(await store.update(run, 1, {})).toBe(true);
      const [running] = await store.byRunIds(run.tenant, [run.runId]);
      expect(running).toEqual({ ...claimed, status: 'RUNNING', startedAt, detail });
      expect(await store.update(run, 1, { status: 'FAILED', finishedAt, usage, error: interrupted, lastSeq: 12 })).toBe(
        true,
      );
      const [ended] = await store.byRunIds(run.tenant, [run.runId]);
      const end = { status: 'FAILED', finishedAt, usage, error: interrupted, lastSeq: 12 };
      expect(ended).toEqual({ ...claimed, startedAt, detail, ...end });
    });

    it('tells an unknown cost from no cost', async () => {
      const { store } = open();
      const run = newRun(randomUUID());
      await store.claim(run, null, 'instance');
      await store.update(run, 1, { usage: { ...noUsage, costUsd: null } });
      expect((await store.byRunIds(run.tenant, [run.runId]))[0]?.usage.costUsd).toBeNull();
    });

    it('gives a run that ends without a time the present one', async () => {
      const { store } = open();
      const run = newRun(randomUUID());
      await store.claim(run, null, 'instance');
      await store.update(run, 1, { status: 'CANCELLED' });
      const [ended] = await store.byRunIds(run.tenant, [run.runId]);
      expect(ended?.status).toBe('CANCELLED');
      expect(ended?.finishedAt?.getTime()).toBeGreaterThanOrEqual(ended?.createdAt.getTime() ?? Number.NaN);
    });

    it('refuses writes of an attempt that does not own the run', async () => {
      const { store } = open();
      const run = newRun(randomUUID());
      const { run: claimed } = await store.claim(run, null, 'instance');
      expect(await store.update(run, 0, { status: 'RUNNING' })).toBe(false);
      expect(await store.update(run, 2, { status: 'RUNNING' })).toBe(false);
      expect(await store.update({ ...run, runId: randomUUID() }, 1, { status: 'RUNNING' })).toBe(false);
      expect(await store.byRunIds(run.tenant, [run.runId])).toEqual([claimed]);
    });

    it.each(['SUCCEEDED', 'FAILED', 'CANCELLED'] as const)('refuses every write after %s', async (status) => {
      const { store } = open();
      const run = newRun(randomUUID());
      await store.claim(run, null, 'instance');
      await store.update(run, 1, { status });
      const ended = await store.byRunIds(run.tenant, [run.runId]);
      expect(await store.update(run, 1, { status: 'RUNNING' })).toBe(false);
      expect(await store.update(run, 1, { status: 'CANCELLED', lastSeq: 9 })).toBe(false);
      expect(await store.byRunIds(run.tenant, [run.runId])).toEqual(ended);
    });

    it('lets exactly one of two concurrent ends through', async () => {
      const { store } = open();
      const run = newRun(randomUUID());
      await store.claim(run, null, 'instance');
      const ends = await Promise.all([
        store.update(run, 1, { status: 'SUCCEEDED' }),
        store.update(run, 1, { status: 'CANCELLED' }),
      ]);
      expect(ends.toSorted()).toEqual([false, true]);
    });

    it('never puts a run back into the queue', async () => {
      const { store } = open();
      const run = newRun(randomUUID());
      await store.claim(run, null, 'instance');
      await expect(store.update(run, 1, { status: 'QUEUED' })).rejects.toThrow('QUEUED');
    });

    it('ends a run whose reply has no conversation to go to', async () => {
      const { store } = open();
      const run = newRun(randomUUID());
      await store.claim(run, null, 'instance');
      const reply = {
        id: randomUUID(),
        conversationId: randomUUID(),
        parentId: randomUUID(),
        role: 'ASSISTANT',
        parts: [{ type: 'text', text: 'late' }],
        object: null,
        citations: [],
        verification: null,
        finishReason: 'STOP',
        model: 'm',
        usage: null,
      } as const;
      expect(await store.update(run, 1, { status: 'SUCCEEDED' }, reply)).toBe(true);
      expect((await store.byRunIds(run.tenant, [run.runId]))[0]?.status).toBe('SUCCEEDED');
    });

    it('keeps two tenants apart that chose the same run id', async () => {
      const { store } = open();
      const [red, blue] = [randomUUID(), randomUUID()];
      const run = newRun(red);
      await store.claim(run, null, 'instance');
      expect(await store.byRunIds(blue, [run.runId])).toEqual([]);
      expect(await store.input({ ...run, tenant: blue })).toBeNull();
      expect(await store.update({ ...run, tenant: blue }, 1, { status: 'CANCELLED' })).toBe(false);
      const twin = await store.claim({ ...run, tenant: blue, inputHash: 'blue', input: 'blue' }, null, 'instance');
      expect(twin.created).toBe(true);
      await store.update({ ...run, tenant: blue }, 1, { status: 'CANCELLED' });
      expect(await store.byRunIds(red, [run.runId])).toMatchObject([{ status: 'QUEUED', inputHash: 'hash-1' }]);
      expect(await store.input(run)).toEqual({ message: 'hello' });
      const listed = await store.list(blue, {}, { first: 10, after: null });
      expect(listed.items.map(({ item }) => item.tenant)).toEqual([blue]);
    });

    it('finds several runs, each once, and none for unknown ids', async () => {
      const { store } = open();
      const tenant = randomUUID();
      const runs = [newRun(tenant), newRun(tenant)];
      for (const run of runs) await store.claim(run, null, 'instance');
      const ids = runs.map((run) => run.runId);
      const found = await store.byRunIds(tenant, [...ids, randomUUID(), ...ids]);
      expect(found.map((run) => run.runId).toSorted()).toEqual(ids.toSorted());
      expect(await store.byRunIds(tenant, [])).toEqual([]);
    });

    it('lists newest first, by kind, status and user', async () => {
      const { store } = open();
      const tenant = randomUUID();
      const plain = newRun(tenant);
      const ann = newRun(tenant, { user: 'ann' });
      const ingest = newIngest(tenant, { user: 'ann' });
      for (const run of [plain, ann, ingest]) await store.claim(run, null, 'instance');
      await store.update(ann, 1, { status: 'RUNNING' });
      const ids = async (filter: RunFilter) =>
        (await store.list(tenant, filter, { first: 10, after: null })).items.map(({ item }) => item.runId).toSorted();
      expect(await ids({})).toEqual([plain, ann, ingest].map((run) => run.runId).toSorted());
      expect(await ids({ kinds: ['INGEST'] })).toEqual([ingest.runId]);
      expect(await ids({ status: 'RUNNING' })).toEqual([ann.runId]);
      expect(await ids({ user: 'ann' })).toEqual([ann.runId, ingest.runId].toSorted());
      expect(await ids({ user: 'ann', kinds: ['CHAT'], status: 'QUEUED' })).toEqual([]);
      expect(await ids({ kinds: ['CHAT', 'INGEST'], user: 'ann' })).toEqual([ann.runId, ingest.runId].toSorted());
      expect(await ids({ kinds: [] })).toEqual([]);
      expect(await ids({ user: '' })).toEqual([]);
    });

    it.each([
      ['created one after the other', false],
      ['that share one time of creation', true],
    ])('pages through runs %s without losing or repeating any', async (_, aligned) => {
      const { store, alignCreation } = open();
      const tenant = randomUUID();
      const runs = Array.from({ length: 7 }, () => newRun(tenant));
      for (const run of runs) await store.claim(run, null, 'instance');
      if (aligned) await alignCreation(tenant);
      const { items: all } = await store.list(tenant, {}, { first: 10, after: null });
      const times = all.map(({ item }) => item.createdAt.getTime());
      expect(times).toEqual(times.toSorted((a, b) => b - a));
      if (aligned) expect(new Set(times).size).toBe(1);
      const paged: string[] = [];
      let after: readonly (string | number)[] | null = null;
      for (const [size, hasNext] of [
        [3, true],
        [3, true],
        [3, false],
      ] as const) {
        const page = await store.list(tenant, {}, { first: size, after });
        expect(page.hasNext).toBe(hasNext);
        paged.push(...page.items.map(({ item }) => item.runId));
        // As a cursor carries it.
        after = JSON.parse(JSON.stringify(page.items.at(-1)?.key));
      }
      expect(paged).toEqual(all.map(({ item }) => item.runId));
      expect(paged.toSorted()).toEqual(runs.map((run) => run.runId).toSorted());
      expect(await store.list(tenant, {}, { first: 3, after })).toEqual({ items: [], hasNext: false });
      expect((await store.list(tenant, {}, { first: 7, after: null })).hasNext).toBe(false);
    });

    it.each([
      [[]],
      [['1', 2]],
      [[1, 'run']],
      [['yesterday', 'run']],
      [['-1', 'run']],
      [['99999999999999999999', 'run']],
      [['1', 'run', 'more']],
    ])('refuses the key %j, which no page gave', async (after) => {
      const listing = open().store.list('t', {}, { first: 3, after });
      await expect(listing).rejects.toMatchObject({ code: 'BAD_INPUT' } satisfies Partial<GatewayError>);
    });

    it('says of runs whether they are still owned by their attempt', async () => {
      const { store } = open();
      const [queued, running, done] = [newRun(randomUUID()), newRun(randomUUID()), newRun(randomUUID())];
      await store.heartbeat({ instance: 'instance', leaseMs: 60_000 });
      for (const run of [queued, running, done]) await store.claim(run, null, 'instance');
      await store.update(running, 1, { status: 'RUNNING' });
      await store.update(done, 1, { status: 'SUCCEEDED' });
      const asked = [
        ...[queued, running, done].map(({ tenant, runId }) => ({ tenant, runId, attempt: 1 })),
        { tenant: running.tenant, runId: running.runId, attempt: 2 },
        { tenant: running.tenant, runId: randomUUID(), attempt: 1 },
        { tenant: queued.tenant, runId: running.runId, attempt: 1 },
      ];
      const owned = await store.stillOwned(asked);
      expect(owned.map(({ runId }) => runId).toSorted()).toEqual([queued.runId, running.runId].toSorted());
      expect(await store.stillOwned([])).toEqual([]);
    });

    it('tells an instance with every heartbeat what is to be cancelled, until it has ended', async () => {
      const { store } = open();
      const instance = randomUUID();
      const lease = { instance, leaseMs: 60_000 };
      await store.heartbeat(lease);
      const [wanted, other] = [newRun(randomUUID()), newRun(randomUUID())];
      await store.claim(wanted, null, instance);
      await store.claim(other, null, instance);
      expect(await store.requestCancel(wanted, 'no longer needed')).toBe(true);
      expect(await store.requestCancel(wanted, 'another reason')).toBe(true);
      expect(await store.requestCancel(newRun('nobody'), 'none')).toBe(false);
      const told = [{ key: { tenant: wanted.tenant, runId: wanted.runId }, reason: 'no longer needed' }];
      expect((await store.heartbeat(lease)).cancels).toEqual(told);
      expect((await store.heartbeat(lease)).cancels).toEqual(told);
      await store.update(wanted, 1, { status: 'CANCELLED' });
      expect((await store.heartbeat(lease)).cancels).toEqual([]);
      expect(await store.requestCancel(wanted, 'too late')).toBe(false);
    });

    it('keeps the time of the first start', async () => {
      const { store } = open();
      const run = newRun(randomUUID());
      await store.claim(run, null, 'instance');
      await store.update(run, 1, { status: 'RUNNING' });
      const [first] = await store.byRunIds(run.tenant, [run.runId]);
      expect(first?.startedAt).toEqual(expect.any(Date));
      await store.update(run, 1, { status: 'RUNNING' });
      expect((await store.byRunIds(run.tenant, [run.runId]))[0]?.startedAt).toEqual(first?.startedAt);
    });
  });
}
