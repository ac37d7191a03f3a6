import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CheckpointStore } from '../../core/contracts/checkpoint-store.ts';
import type { StoredRunStore } from '../../core/contracts/run-store.ts';
import { newRun } from './run-store.ts';

/** What is kept of a run's work, with the runs that own it. */
export function checkpointStoreContract(
  name: string,
  open: () => { readonly checkpoints: CheckpointStore; readonly runs: StoredRunStore },
): void {
  async function claimed() {
    const run = newRun(randomUUID());
    await open().runs.claim(run, null, 'instance');
    return { tenant: run.tenant, runId: run.runId, attempt: 1 };
  }

  describe(`${name} keeps checkpoints`, () => {
    it('gives back every value as it was saved', async () => {
      const { checkpoints } = open();
      const run = await claimed();
      const values = {
        text: 'a\u0000b \ud83d\ude00',
        none: null,
        count: 0,
        list: [1, [false]],
        nested: { b: 1, a: { c: '"' } },
      };
      for (const [key, value] of Object.entries(values)) expect(await checkpoints.save(run, key, value)).toBe(true);
      const kept = await checkpoints.read(run);
      expect(Object.fromEntries(kept)).toEqual(values);
      expect(JSON.stringify(kept.get('nested'))).toBe(JSON.stringify(values.nested));
    });

    it('keeps what was saved first, and says that it is saved', async () => {
      const { checkpoints } = open();
      const run = await claimed();
      const saves = await Promise.all([1, 2, 3].map((value) => checkpoints.save(run, 'key', value)));
      expect(saves).toEqual([true, true, true]);
      const kept = await checkpoints.read(run);
      expect(await checkpoints.save(run, 'key', 4)).toBe(true);
      expect(await checkpoints.read(run)).toEqual(kept);
    });

    it('takes nothing from an attempt that has lost its run, and shows the next one what was there', async () => {
      const { checkpoints, runs } = open();
      const run = await claimed();
      await checkpoints.save(run, 'first', 'of one');
      await runs.release(run);
      const options = { abandoned: 'expired', limit: 1_000, maxLosses: 9, error: failure } as const;
      const { taken } = await runs.takeOver('heir', options);
      expect(taken.map((each) => each.run.runId)).toContain(run.runId);
      expect(await checkpoints.save(run, 'second', 'of one')).toBe(false);
      expect(await checkpoints.save({ ...run, attempt: 2 }, 'second', 'of two')).toBe(true);
      expect(await checkpoints.read(run)).toEqual(
        new Map([
          ['first', 'of one'],
          ['second', 'of two'],
        ]),
      );
    });

    it.each(['SUCCEEDED', 'FAILED', 'CANCELLED'] as const)('forgets them with the end of a run: %s', async (status) => {
      const { checkpoints, runs } = open();
      const run = await claimed();
      await checkpoints.save(run, 'key', 1);
      expect(await runs.update(run, 2, { status })).toBe(false);
      expect((await checkpoints.read(run)).size).toBe(1);
      expect(await runs.update(run, 1, { status })).toBe(true);
      expect((await checkpoints.read(run)).size).toBe(0);
      expect(await checkpoints.save(run, 'key', 1)).toBe(false);
    });

    it('knows no other tenant, and no run that is not there', async () => {
      const { checkpoints } = open();
      const run = await claimed();
      await checkpoints.save(run, 'key', 1);
      expect((await checkpoints.read({ ...run, tenant: 'another' })).size).toBe(0);
      expect(await checkpoints.save({ ...run, tenant: 'another' }, 'key', 2)).toBe(false);
      expect(await checkpoints.save({ ...run, runId: randomUUID() }, 'key', 2)).toBe(false);
    });
  });
}

const failure = { code: 'INTERNAL', message: 'lost too often', retryable: true, details: {} } as const;
