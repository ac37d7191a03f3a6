import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { HoldRequest, HoldStore } from '../../core/contracts/hold-store.ts';

/** What every store of holds must do. Instances are entered by whoever opens it: they live until they are let die. */
export function holdStoreContract(
  name: string,
  open: () => HoldStore,
  instances: {
    enter(): Promise<string>;
    /** Its lease has expired just now. */
    lapse(instance: string): Promise<void>;
    /** It has said so itself. */
    leave(instance: string): Promise<void>;
  },
): void {
  async function account(cap: number, changes: Partial<HoldRequest> = {}) {
    const store = open();
    const base = {
      tenant: randomUUID(),
      resource: 'NANO_DOLLARS' as const,
      accounts: [{ name: 'key', cap }],
      instance: await instances.enter(),
      ...changes,
    };
    return {
      ...base,
      async hold(amounts: readonly number[], other: Partial<HoldRequest> = {}) {
        const holds = amounts.map((amount) => ({ id: randomUUID(), amount }));
        const answer = await store.hold({ ...base, holds, ...other });
        return { ...answer, ids: holds.map(({ id }) => id) };
      },
      settle: (id: string | undefined, used: number) => store.settle([{ tenant: base.tenant, id: id ?? '', used }]),
      async state(other: Partial<HoldRequest> = {}) {
        const { accounts } = await store.hold({ ...base, holds: [], ...other });
        return Object.fromEntries(accounts.map(({ name: of, used, held }) => [of, { used, held }]));
      },
    };
  }

  describe(`${name} sets amounts aside`, () => {
    it('grants what fits, in order, and does not let one that is too large keep a smaller one out', async () => {
      const { hold, state } = await account(100);
      expect((await hold([60, 50, 40, 1])).granted).toEqual([true, false, true, false]);
      expect(await state()).toEqual({ key: { used: 0, held: 100 } });
      expect((await hold([0])).granted).toEqual([true]);
    });

    it('counts what was used, and gives the rest back', async () => {
      const { hold, settle, state } = await account(100);
      const { ids } = await hold([80]);
      expect((await hold([30])).granted).toEqual([false]);
      await settle(ids[0], 10);
      expect(await state()).toEqual({ key: { used: 10, held: 0 } });
      expect((await hold([90])).granted).toEqual([true]);
      expect((await hold([1])).granted).toEqual([false]);
    });

    it('counts also what was used beyond the hold', async () => {
      const { hold, settle, state } = await account(100);
      const { ids } = await hold([80]);
      await settle(ids[0], 130);
      expect(await state()).toEqual({ key: { used: 130, held: 0 } });
      expect((await hold([0])).granted).toEqual([false]);
    });

    it('changes nothing when a hold is settled again, or was never there', async () => {
      const { hold, settle, state } = await account(100);
      const { ids } = await hold([80]);
      await settle(ids[0], 10);
      await settle(ids[0], 10);
      await settle(randomUUID(), 10);
      expect(await state()).toEqual({ key: { used: 10, held: 0 } });
    });

    it('never holds more than the cap, whatever asks at the same time', async () => {
      const { hold, settle, state } = await account(50);
      const answers = await Promise.all(Array.from({ length: 40 }, () => hold([1, 1, 1])));
      const granted = answers.flatMap((answer) => answer.ids.filter((_, place) => answer.granted[place]));
      expect(granted).toHaveLength(50);
      await Promise.all(granted.map((id) => settle(id, 1)));
      expect(await state()).toEqual({ key: { used: 50, held: 0 } });
    });

    it('needs all accounts to bear a hold, and moves all or none', async () => {
      const { hold, settle, state } = await account(0, {
        accounts: [
          { name: 'key', cap: 100 },
          { name: '', cap: 30 },
        ],
      });
      expect((await hold([31, 30])).granted).toEqual([false, true]);
      const other = { accounts: [{ name: '', cap: 30 }] };
      expect((await hold([1], other)).granted).toEqual([false]);
      const { ids } = await hold([1], { accounts: [{ name: '', cap: 31 }] });
      await settle(ids[0], 1);
      expect(await state()).toEqual({ key: { used: 0, held: 30 }, '': { used: 1, held: 30 } });
    });

    it('keeps tenants and resources apart', async () => {
      const [one, two] = [await account(10), await account(10)];
      const { ids } = await one.hold([10]);
      expect((await two.hold([10])).granted).toEqual([true]);
      expect((await one.hold([10], { resource: 'RUNS' })).granted).toEqual([true]);
      await two.settle(ids[0], 10);
      expect(await one.state()).toEqual({ key: { used: 0, held: 10 } });
    });

    it('says when the day is over, for what is counted by day', async () => {
      const { hold } = await account(10);
      const { renewsAt } = await hold([1]);
      const midnight = new Date(new Date().setUTCHours(24, 0, 0, 0));
      expect(renewsAt).toEqual(midnight);
      expect((await hold([1], { resource: 'RUNS' })).renewsAt).toBeNull();
    });
  });

  describe(`${name} outlives the instances`, () => {
    it('gives back what a dead instance held, and nothing of the living', async () => {
      const { hold, instance, state } = await account(100);
      const living = await instances.enter();
      await hold([70]);
      await hold([20], { instance: living });
      await instances.lapse(instance);
      await open().reclaim(0);
      expect(await state()).toEqual({ key: { used: 0, held: 20 } });
      expect((await hold([80], { instance: living })).granted).toEqual([true]);
    });

    it('keeps the dollars of an instance that may be alive aside for as long as its calls can last, and not its runs', async () => {
      const { hold, instance, state } = await account(100);
      await hold([70]);
      await hold([1], { resource: 'RUNS' });
      await instances.lapse(instance);
      await open().reclaim(60_000);
      expect(await state()).toEqual({ key: { used: 0, held: 70 } });
      expect(await state({ resource: 'RUNS' })).toEqual({ key: { used: 0, held: 0 } });
      await open().reclaim(0);
      expect(await state()).toEqual({ key: { used: 0, held: 0 } });
    });

    it('gives back at once what an instance held that has left', async () => {
      const { hold, instance, state } = await account(100);
      await hold([70]);
      await instances.leave(instance);
      await open().reclaim(60_000);
      expect(await state()).toEqual({ key: { used: 0, held: 0 } });
    });

    it('counts what an instance used that only seemed dead, once', async () => {
      const { hold, settle, instance, state } = await account(100);
      const { ids } = await hold([70]);
      await instances.lapse(instance);
      await open().reclaim(0);
      await settle(ids[0], 40);
      await settle(ids[0], 40);
      expect(await state()).toEqual({ key: { used: 40, held: 0 } });
    });

    it('reclaims each hold once when several look at the same time', async () => {
      const { hold, instance, state } = await account(1_000);
      await Promise.all(Array.from({ length: 20 }, () => hold([10])));
      await instances.lapse(instance);
      await Promise.all(Array.from({ length: 5 }, () => open().reclaim(0)));
      await open().reclaim(0);
      expect(await state()).toEqual({ key: { used: 0, held: 0 } });
    });

    it('settles and reclaims at the same time without losing or doubling anything', async () => {
      const { hold, settle, instance, state } = await account(1_000);
      const { ids } = await hold(Array.from({ length: 50 }, () => 10));
      await instances.lapse(instance);
      await Promise.all([...ids.map((id) => settle(id, 7)), open().reclaim(0), open().reclaim(0)]);
      expect(await state()).toEqual({ key: { used: 350, held: 0 } });
    });
  });
}
