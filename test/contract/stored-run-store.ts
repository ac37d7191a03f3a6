import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { RunErrorRecord } from '../../core/contracts/run-event.ts';
import type { NewRun, StoredRunStore } from '../../core/contracts/run-store.ts';
import { newRun } from './run-store.ts';

const error: RunErrorRecord = {
  code: 'INTERNAL',
  message: 'lost too often',
  retryable: true,
  details: { attempts: 2 },
};
const options = { abandoned: 'expired', limit: 100, maxLosses: 3, error } as const;
const together = { alone: false, others: 'unknown' } as const;
const leaseMs = 300;

/** What a store of runs that outlive their instance must do besides. The store is this suite's own: takeovers know no tenant. */
export function storedRunStoreContract(name: string, open: () => StoredRunStore): void {
  async function instance(lease = 60_000): Promise<string> {
    const id = randomUUID();
    expect(await open().enter({ instance: id, leaseMs: lease }, together)).toBeNull();
    return id;
  }
  async function claimed(owner: string, changes: Partial<NewRun> = {}): Promise<NewRun> {
    const run = newRun(randomUUID(), changes);
    await open().claim(run, null, owner);
    return run;
  }
  /** A run whose instance has died. */
  async function abandoned(changes: Partial<NewRun> = {}): Promise<NewRun> {
    const owner = await instance(1);
    const run = await claimed(owner, changes);
    await sleep(20);
    return run;
  }

  describe(`${name} lets runs change their instance`, () => {
    it('gives away what a dead instance left, whole, with the next attempt', async () => {
      const store = open();
      const [dead, heir] = [await instance(1), await instance()];
      const run = await claimed(dead, { timeoutMs: 60_000, whenUnwatched: 'CANCEL', input: { b: 1, a: 2 } });
      await store.update(run, 1, { status: 'RUNNING' });
      await store.requestCancel(run, 'enough');
      await sleep(20);
      const { taken, failed } = await store.takeOver(heir, options);
      expect(failed).toEqual([]);
      expect(taken).toHaveLength(1);
      expect(taken[0]).toMatchObject({
        run: { runId: run.runId, tenant: run.tenant, keyId: 'key-1', attempt: 2, status: 'RUNNING' },
        input: { b: 1, a: 2 },
        whenUnwatched: 'CANCEL',
        cancelReason: 'enough',
      });
      expect(taken[0]?.timeoutMs).toBeGreaterThan(0);
      expect(taken[0]?.timeoutMs).toBeLessThanOrEqual(60_000);
      expect((await store.takeOver(heir, options)).taken).toEqual([]);
      expect(await store.update(run, 1, { status: 'SUCCEEDED' })).toBe(false);
      expect(await store.update(run, 2, { status: 'SUCCEEDED' })).toBe(true);
    });

    it('leaves alone what lives, what has ended, and what is its own', async () => {
      const store = open();
      const [living, heir] = [await instance(), await instance()];
      const kept = await claimed(living);
      const own = await claimed(heir);
      const done = await abandoned();
      await store.update(done, 1, { status: 'SUCCEEDED' });
      expect((await store.takeOver(heir, options)).taken).toEqual([]);
      for (const run of [kept, own]) expect(await store.stillOwned([{ ...run, attempt: 1 }])).toHaveLength(1);
    });

    it('gives each run to one of those that ask together, and no more than they want', async () => {
      const store = open();
      const dead = await instance(1);
      const runs = await Promise.all(Array.from({ length: 20 }, () => claimed(dead)));
      await sleep(20);
      const heirs = await Promise.all([1, 2, 3, 4].map(() => instance()));
      const got: string[] = [];
      for (let round = 0; round < 20 && got.length < runs.length; round += 1) {
        const looks = await Promise.all(heirs.map((heir) => store.takeOver(heir, { ...options, limit: 3 })));
        for (const { taken } of looks) {
          expect(taken.length).toBeLessThanOrEqual(3);
          got.push(...taken.map(({ run }) => run.runId));
        }
      }
      expect(got.toSorted()).toEqual(runs.map(({ runId }) => runId).toSorted());
    });

    it('ends a run that took too many instances with it', async () => {
      const store = open();
      const run = await abandoned();
      const heir = await instance(1);
      expect((await store.takeOver(heir, { ...options, maxLosses: 2 })).taken).toHaveLength(1);
      await sleep(20);
      const { taken, failed } = await store.takeOver(await instance(), { ...options, maxLosses: 2 });
      expect(taken).toEqual([]);
      expect(failed).toMatchObject([{ runId: run.runId, status: 'FAILED', error, attempt: 3 }]);
      expect(failed[0]?.finishedAt).toBeInstanceOf(Date);
      expect(await store.input(run)).toBeNull();
    });

    it('gives a released run away at once, and counts no loss', async () => {
      const store = open();
      const run = await claimed(await instance());
      for (let attempt = 1; attempt < 6; attempt += 1) {
        expect(await store.release({ ...run, attempt })).toBe(true);
        expect(await store.stillOwned([{ ...run, attempt }])).toEqual([]);
        expect(await store.release({ ...run, attempt: attempt + 1 })).toBe(false);
        const { taken } = await store.takeOver(await instance(), { ...options, maxLosses: 1 });
        expect(taken).toMatchObject([{ run: { runId: run.runId, attempt: attempt + 1 } }]);
      }
    });

    it('says that a lease has lapsed, and takes nothing from one that was renewed in time', async () => {
      const store = open();
      const owner = await instance(leaseMs);
      const lease = { instance: owner, leaseMs };
      await claimed(owner);
      const heir = await instance();
      const until = Date.now() + 3 * leaseMs;
      while (Date.now() < until) {
        // A busy machine may be late with it: then nothing is proved, and nothing is wrong.
        if ((await store.heartbeat(lease)).lapsed) return;
        expect((await store.takeOver(heir, options)).taken).toEqual([]);
        await sleep(leaseMs / 10);
      }
      await sleep(leaseMs + 50);
      expect((await store.heartbeat(lease)).lapsed).toBe(true);
      expect((await store.heartbeat({ instance: randomUUID(), leaseMs })).lapsed).toBe(true);
    });

    it('gives away what an instance that left still had', async () => {
      const store = open();
      const owner = await instance();
      const run = await claimed(owner);
      await store.leave(owner);
      expect((await store.takeOver(await instance(), options)).taken).toMatchObject([{ run: { runId: run.runId } }]);
    });

    it('keeps out whoever would not share its log, and whom it would not share it with', async () => {
      const store = open();
      const everybody = randomUUID();
      await store.enter({ instance: everybody, leaseMs: 60_000 }, { alone: true, others: 'dead' });
      const lease = { instance: randomUUID(), leaseMs: 60_000 };
      expect(await store.enter(lease, together)).toEqual({ instance: everybody, alone: true });
      expect(await store.enter(lease, { alone: true, others: 'unknown' })).toEqual({
        instance: everybody,
        alone: true,
      });
      await store.leave(everybody);
      expect(await store.enter(lease, together)).toBeNull();
      const alone = { instance: randomUUID(), leaseMs: 60_000 };
      expect(await store.enter(alone, { alone: true, others: 'unknown' })).toEqual({
        instance: lease.instance,
        alone: false,
      });
      await store.leave(lease.instance);
      expect(await store.enter(alone, { alone: true, others: 'unknown' })).toBeNull();
      await store.leave(alone.instance);
    });

    it('gives the only instance all that it did not start, lease or not', async () => {
      const store = open();
      const run = await claimed(await instance());
      const alone = randomUUID();
      await store.enter({ instance: alone, leaseMs: 60_000 }, { alone: true, others: 'dead' });
      const { taken } = await store.takeOver(alone, { ...options, abandoned: 'all' });
      expect(taken.map(({ run: { runId } }) => runId)).toContain(run.runId);
      await store.leave(alone);
    });
  });
}
