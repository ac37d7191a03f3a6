import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AwaitedCall, ParkedRuns } from '../../core/contracts/parked-runs.ts';
import type { StoredRunStore } from '../../core/contracts/run-store.ts';
import { noUsage } from '../../core/models/usage/usage-meter.ts';
import { newRun } from './run-store.ts';

const failure = { code: 'INTERNAL', message: 'lost too often', retryable: true, details: {} } as const;
const looks = { abandoned: 'expired', limit: 1_000, maxLosses: 2, error: failure } as const;

export const awaited = (callId: string, changes: Partial<AwaitedCall> = {}): AwaitedCall => ({
  callId,
  round: 1,
  awaits: 'AWAITING_APPROVAL',
  tool: 'send_mail',
  arguments: { to: 'ann' },
  parameters: { type: 'object' },
  reason: null,
  ...changes,
});

/** Runs that wait, with the store of runs that they are kept in. */
export function parkedRunsContract(
  name: string,
  open: () => { readonly parked: ParkedRuns; readonly runs: StoredRunStore },
): void {
  async function claimed(timeoutMs: number | null = null) {
    const run = newRun(randomUUID(), { timeoutMs });
    await open().runs.claim(run, null, 'instance');
    await open().runs.update(run, 1, { status: 'RUNNING' });
    return { tenant: run.tenant, runId: run.runId, attempt: 1 };
  }
  const statusOf = async (run: { tenant: string; runId: string }) =>
    (await open().runs.byRunIds(run.tenant, [run.runId]))[0]?.status;
  const takenBy = async (heir: string, runId: string) =>
    (await open().runs.takeOver(heir, looks)).taken.find(({ run }) => run.runId === runId);

  describe(`${name} keeps runs that wait`, () => {
    it('parks a run until its last question is answered, and then lets anybody take it', async () => {
      const { parked, runs } = open();
      const run = await claimed(60_000);
      expect(await parked.ask(run, awaited('a'))).toBe(true);
      expect(await parked.ask(run, awaited('b', { awaits: 'AWAITING_TOOL_RESULT' }))).toBe(true);
      expect(await parked.park(run, { usage: { ...noUsage, calls: 3 } })).toBe('parked');
      expect(await statusOf(run)).toBe('AWAITING_APPROVAL');
      expect(await takenBy('heir', run.runId)).toBeUndefined();
      expect(await runs.stillOwned([run])).toEqual([]);
      expect(await parked.answer(run, 'a', 1, { type: 'approved', arguments: null })).toBe('taken');
      expect(await statusOf(run)).toBe('AWAITING_TOOL_RESULT');
      expect(await parked.answer(run, 'b', 1, { type: 'result', value: { b: 1, a: 2 } })).toBe('taken');
      expect(await statusOf(run)).toBe('RUNNING');
      const taken = await takenBy('heir', run.runId);
      expect(taken).toMatchObject({ run: { attempt: 2, usage: { calls: 3 } }, waitExpired: false });
      expect(taken?.timeoutMs).toBeGreaterThan(50_000);
      expect((await parked.calls(run)).map(({ callId, answer }) => [callId, answer?.type])).toEqual([
        ['a', 'approved'],
        ['b', 'result'],
      ]);
    });

    it('takes one answer, and says what became of the others', async () => {
      const { parked, runs } = open();
      const run = await claimed();
      await parked.ask(run, awaited('a'));
      await parked.ask(run, awaited('b'));
      const answers = await Promise.all(
        [1, 2, 3].map(() => parked.answer(run, 'a', 1, { type: 'rejected', reason: null })),
      );
      expect(answers.toSorted()).toEqual(['already', 'already', 'taken']);
      expect(await parked.answer(run, 'c', 1, { type: 'rejected', reason: null })).toBe('unknown');
      expect(await parked.answer(run, 'a', 2, { type: 'rejected', reason: null })).toBe('unknown');
      expect(await parked.answer({ ...run, tenant: 'another' }, 'b', 1, { type: 'rejected', reason: null })).toBe(
        'unknown',
      );
      await runs.update(run, 1, { status: 'SUCCEEDED' });
      expect(await parked.answer(run, 'b', 1, { type: 'rejected', reason: null })).toBe('ended');
      expect(await parked.answer(run, 'a', 1, { type: 'rejected', reason: null })).toBe('already');
    });

    it('does not park a run whose questions were answered meanwhile, or that somebody wants cancelled', async () => {
      const { parked, runs } = open();
      const [answered, cancelled] = [await claimed(), await claimed()];
      for (const run of [answered, cancelled]) await parked.ask(run, awaited('a'));
      await parked.answer(answered, 'a', 1, { type: 'approved', arguments: { to: 'bob' } });
      await runs.requestCancel(cancelled, 'enough');
      for (const run of [answered, cancelled]) expect(await parked.park(run, {})).toBe('claimable');
      const { taken } = await runs.takeOver('heir', looks);
      expect(taken.map(({ run, cancelReason }) => [run.runId, cancelReason])).toEqual(
        expect.arrayContaining([
          [answered.runId, null],
          [cancelled.runId, 'enough'],
        ]),
      );
    });

    it('wakes a parked run that is cancelled, or that nobody answered in time', async () => {
      const { parked, runs } = open();
      const [cancelled, late] = [await claimed(), await claimed()];
      for (const run of [cancelled, late]) {
        await parked.ask(run, awaited('a'));
        expect(await parked.park(run, {})).toBe('parked');
      }
      expect(await runs.requestCancel(cancelled, 'enough')).toBe(true);
      expect(await parked.expire({ parkedForMs: 60_000, limit: 10 })).toBe(0);
      expect(await parked.expire({ parkedForMs: -1, limit: 10 })).toBeGreaterThan(0);
      const { taken } = await runs.takeOver('heir', looks);
      const found = (runId: string) => taken.find(({ run }) => run.runId === runId);
      expect(found(cancelled.runId)).toMatchObject({ cancelReason: 'enough', waitExpired: false });
      expect(found(late.runId)).toMatchObject({ cancelReason: null, waitExpired: true });
    });

    it('listens only to the attempt that owns the run', async () => {
      const { parked } = open();
      const run = await claimed();
      const old = { ...run, attempt: 9 };
      expect(await parked.ask(old, awaited('a'))).toBe(false);
      expect(await parked.park(old, {})).toBe('lost');
      expect(await parked.calls(run)).toEqual([]);
    });

    it('lists what is unanswered in runs that have not ended, of one tenant', async () => {
      const { parked, runs } = open();
      const [one, two] = [await claimed(), await claimed()];
      await parked.ask(one, awaited('a', { reason: 'outcome unknown' }));
      await parked.ask(one, awaited('b'));
      await parked.ask(two, awaited('c'));
      await parked.answer(one, 'b', 1, { type: 'approved', arguments: null });
      const ofOne = async () =>
        (await parked.unanswered(one.tenant, [one.runId, two.runId])).map(({ callId }) => callId);
      const [listed] = await parked.unanswered(one.tenant, [one.runId]);
      expect(listed).toEqual({ runId: one.runId, ...awaited('a', { reason: 'outcome unknown' }), answer: null });
      expect(await ofOne()).toEqual(one.tenant === two.tenant ? ['a', 'c'] : ['a']);
      expect(await parked.unanswered('another', [one.runId])).toEqual([]);
      await runs.update(one, 1, { status: 'CANCELLED' });
      expect(await ofOne()).toEqual(one.tenant === two.tenant ? ['c'] : []);
    });
  });
}
