import { describe, expect, it } from 'vitest';
import { memoryRunStore } from '../../../adapters/memory/run-store.ts';
import type { Clock } from '../../../core/contracts/clock.ts';
import type { RunStore } from '../../../core/contracts/run-store.ts';
import { newRun, runStoreContract } from '../../contract/run-store.ts';

/** A clock that the test moves; the store never sleeps. */
class HandClock implements Clock {
  nowMs = Date.UTC(2026, 0, 1);
  now(): number {
    return this.nowMs;
  }
  sleep(): Promise<void> {
    return Promise.reject(new Error('the store of unstored runs sleeps for nothing'));
  }
}

const contractClock = new HandClock();
const shared = memoryRunStore({ clock: contractClock, retentionMs: 60_000, maxRuns: 1_000 });
runStoreContract('memoryRunStore', () => ({
  store: shared,
  stored: false,
  // Every run was created at the one time that this clock shows.
  alignCreation: async () => {},
}));

describe('memoryRunStore', () => {
  async function endedRun(store: RunStore, tenant: string): Promise<string> {
    const run = newRun(tenant);
    await store.claim(run, null, 'instance');
    await store.update(run, 1, { status: 'SUCCEEDED' });
    return run.runId;
  }

  it('lists runs by their time of creation, newest first', async () => {
    const clock = new HandClock();
    const store = memoryRunStore({ clock, retentionMs: 60_000, maxRuns: 100 });
    const created: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      clock.nowMs += 1;
      created.unshift((await store.claim(newRun('t'), null, 'instance')).run.runId);
    }
    const { items } = await store.list('t', {}, { first: 10, after: null });
    expect(items.map(({ item }) => item.runId)).toEqual(created);
  });

  it('refuses a turn: an unstored run writes no conversation', async () => {
    const store = memoryRunStore({ clock: new HandClock(), retentionMs: 1_000, maxRuns: 10 });
    const turn = { conversation: { type: 'existing', id: 'c' }, parentMessageId: null, question: null } as const;
    const run = newRun('t');
    await expect(store.claim(run, turn, 'instance')).rejects.toThrow('turn');
    expect(await store.byRunIds('t', [run.runId])).toEqual([]);
  });

  it('drops a run once the retention after its end has passed, and its id can be claimed anew', async () => {
    const clock = new HandClock();
    const store = memoryRunStore({ clock, retentionMs: 1_000, maxRuns: 10 });
    const run = newRun('t');
    await store.claim(run, null, 'instance');
    clock.nowMs += 5_000;
    await store.update(run, 1, { status: 'SUCCEEDED' });
    clock.nowMs += 999;
    expect(await store.byRunIds('t', [run.runId])).toHaveLength(1);
    clock.nowMs += 1;
    expect(await store.byRunIds('t', [run.runId])).toEqual([]);
    expect((await store.list('t', {}, { first: 10, after: null })).items).toEqual([]);
    expect((await store.claim({ ...run, inputHash: 'other' }, null, 'instance')).created).toBe(true);
  });

  it('makes room by dropping the run that ended first, of whatever tenant, and never one under way', async () => {
    const store = memoryRunStore({ clock: new HandClock(), retentionMs: 60_000, maxRuns: 3 });
    const underWay = newRun('a');
    await store.claim(underWay, null, 'instance');
    const oldest = await endedRun(store, 'b');
    const newer = await endedRun(store, 'a');
    const another = newRun('c');
    await store.claim(another, null, 'instance');
    expect(await store.byRunIds('b', [oldest])).toEqual([]);
    expect(await store.byRunIds('a', [underWay.runId, newer])).toHaveLength(2);
    expect(await store.byRunIds('c', [another.runId])).toHaveLength(1);
  });

  it('refuses a run that it has no room for, and takes it once one has ended', async () => {
    const store = memoryRunStore({ clock: new HandClock(), retentionMs: 60_000, maxRuns: 2 });
    const runs = [newRun('t'), newRun('t')];
    for (const run of runs) await store.claim(run, null, 'instance');
    const third = newRun('t');
    await expect(store.claim(third, null, 'instance')).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      retryable: true,
      details: { limit: 2 },
    });
    expect(await store.claim(runs[0] ?? third, null, 'instance')).toMatchObject({ created: false });
    await store.update(runs[1] ?? third, 1, { status: 'CANCELLED' });
    expect((await store.claim(third, null, 'instance')).created).toBe(true);
  });
});
