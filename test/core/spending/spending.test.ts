import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../../adapters/postgres/database.ts';
import { GatewayError } from '../../../core/contracts/gateway-error.ts';
import type { Reservation } from '../../../core/contracts/spending.ts';
import { openTestDatabase } from '../../helpers/test-database.ts';
import { type SpendingRig, spendingRig } from './rig.ts';

let database: Database & AsyncDisposable;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

const never = new AbortController().signal;
const usage = { inputTokens: 1_000, cachedInputTokens: 0, outputTokens: 500 };

async function outcomes(asked: readonly unknown[]) {
  const settled = await Promise.allSettled(asked);
  const reservations = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value as Reservation] : []));
  const errors = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as GatewayError] : []));
  return { reservations, errors };
}
const burst = (rig: SpendingRig, calls: number) =>
  outcomes(Array.from({ length: calls }, () => rig.spending.reserve(rig.call(), never)));

describe('a budget', () => {
  test('of exactly 50 worst cases bears 50 of 500 calls at once, and not one more once they have cost that', async () => {
    await using rig = await spendingRig(database, { key: { budgetUsdPerDay: 0.2 } });
    const { reservations, errors } = await burst(rig, 500);
    expect(reservations).toHaveLength(50);
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['BUDGET_EXCEEDED']));
    for (const reservation of reservations) reservation.settle(usage);
    expect(await rig.account('key-1')).toEqual({ used: 0.2, held: 0 });
    expect((await burst(rig, 10)).reservations).toHaveLength(0);
  });

  test('is exact over instances that ask at the same time', async () => {
    await using one = await spendingRig(database, { key: { budgetUsdPerDay: 0.2 } });
    await using two = await spendingRig(database, { key: { budgetUsdPerDay: 0.2 }, tenant: one.tenant });
    const [first, second] = await Promise.all([burst(one, 250), burst(two, 250)]);
    expect(first.reservations.length + second.reservations.length).toBe(50);
  });

  test('says what it is, what is left of it, and when it renews', async () => {
    await using rig = await spendingRig(database, { key: { budgetUsdPerDay: 0.009 } });
    const { reservations } = await burst(rig, 2);
    reservations[0]?.settle(usage);
    await rig.holds.flush();
    const midnight = new Date(new Date().setUTCHours(24, 0, 0, 0)).toISOString();
    const refused = Promise.resolve(rig.spending.reserve(rig.call(), never));
    await expect(refused).rejects.toMatchObject({
      code: 'BUDGET_EXCEEDED',
      retryable: false,
      details: { renewsAt: midnight, retryAfterMs: expect.any(Number) },
      message: `key "name of key-1" has a budget of $0.009 a day: $0.004 is spent, $0.004 is set aside for calls under way, and this call may cost up to $0.004. The budget renews at ${midnight}.`,
    });
  });

  test('gives back what a call did not use, and all of what was not called', async () => {
    await using rig = await spendingRig(database, { key: { budgetUsdPerDay: 0.008 } });
    const { reservations } = await burst(rig, 2);
    reservations[0]?.settle({ inputTokens: 1_000, cachedInputTokens: 500, outputTokens: 10 });
    reservations[1]?.settle(null);
    reservations[1]?.settle(usage);
    expect(await rig.account('key-1')).toEqual({ used: 0.00154, held: 0 });
    expect((await burst(rig, 1)).reservations).toHaveLength(1);
  });

  test('counts also what a call used beyond its worst case', async () => {
    await using rig = await spendingRig(database, { key: { budgetUsdPerDay: 0.008 } });
    const { reservations } = await burst(rig, 1);
    reservations[0]?.settle({ ...usage, outputTokens: 2_000 });
    expect(await rig.account('key-1')).toEqual({ used: 0.01, held: 0 });
    expect((await burst(rig, 1)).errors[0]?.message).toContain('$0.01 is spent, $0 is set aside');
  });

  test('of a tenant is shared by all its keys, and by calls without one', async () => {
    await using rig = await spendingRig(database, { key: {}, tenantLimits: { budgetUsdPerDay: 0.008 } });
    const reserve = (payer: string | null) => rig.spending.reserve(rig.call({ payer }), never);
    const { reservations, errors } = await outcomes([reserve('key-1'), reserve(null), reserve('key-2')]);
    expect(reservations).toHaveLength(2);
    expect(errors[0]?.message).toContain(`tenant "${rig.tenant}" has a budget of $0.008 a day`);
  });

  test('of a key and one of its tenant must both bear a call', async () => {
    await using rig = await spendingRig(database, {
      key: { budgetUsdPerDay: 1 },
      tenantLimits: { budgetUsdPerDay: 0.004 },
    });
    const { reservations, errors } = await burst(rig, 2);
    expect(errors[0]?.message).toMatch(/^tenant /);
    reservations[0]?.settle(usage);
    expect(await rig.account('key-1')).toEqual({ used: 0.004, held: 0 });
    expect(await rig.account('')).toEqual({ used: 0.004, held: 0 });
  });

  test('takes the output to be as long as the model can make it, and bounds that of an unknown model', async () => {
    await using rig = await spendingRig(database, { key: { budgetUsdPerDay: 1 } });
    const reserve = async (changes: object) => await rig.spending.reserve(rig.call(changes), never);
    const own = await reserve({ maxOutputTokens: null, modelMaxOutputTokens: 100_000 });
    expect(own?.maxOutputTokens).toBeNull();
    expect(await rig.account('key-1')).toEqual({ used: 0, held: 0.402 });
    own?.settle(null);
    const unknown = await reserve({ maxOutputTokens: null });
    expect(unknown?.maxOutputTokens).toBe(4_096);
    expect(await rig.account('key-1')).toEqual({ used: 0, held: 0.018384 });
    unknown?.settle(null);
    await reserve({ choices: 3, inputBound: 10_000 });
    expect(await rig.account('key-1')).toEqual({ used: 0, held: 0.026 });
  });

  test('refuses a model without a price, unless the key may use such models', async () => {
    await using strict = await spendingRig(database, { key: { budgetUsdPerDay: 1 } });
    await expect(strict.spending.reserve(strict.call({ price: null }), never)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('model "priced" has no known price, and key "name of key-1" has a budget'),
    });
    await using lax = await spendingRig(database, { key: { budgetUsdPerDay: 1 }, allowUnknownPrice: true });
    expect(await lax.spending.reserve(lax.call({ price: null }), never)).toBeNull();
  });

  test('does not mind calls that cost nothing, not even once it is spent', async () => {
    await using rig = await spendingRig(database, { key: { budgetUsdPerDay: 0.004 } });
    await burst(rig, 2);
    const free = { inputUsdPerMillion: 0, cachedInputUsdPerMillion: 0, outputUsdPerMillion: 0 };
    expect(await rig.spending.reserve(rig.call({ price: free }), never)).toBeNull();
  });

  test('gets back what a dead instance had set aside, as soon as it is missed', async () => {
    await using dead = await spendingRig(database, { key: { budgetUsdPerDay: 0.2 } });
    await using alive = await spendingRig(database, { key: { budgetUsdPerDay: 0.2 }, tenant: dead.tenant });
    expect((await burst(dead, 40)).reservations).toHaveLength(40);
    await dead.die();
    expect((await burst(alive, 60)).reservations).toHaveLength(50);
  });

  test('is not held by a call that was cancelled while it asked', async () => {
    await using rig = await spendingRig(database, { key: { budgetUsdPerDay: 0.2 } });
    const controller = new AbortController();
    const asked = rig.spending.reserve(rig.call(), controller.signal);
    controller.abort(new GatewayError('CANCELLED', 'enough'));
    await expect(asked).rejects.toThrow('enough');
    await expect.poll(() => rig.account('key-1')).toEqual({ used: 0, held: 0 });
  });
});

describe('a database that is away', () => {
  test('lets nothing pass, and what was settled meanwhile is written when it is back', async () => {
    let isAway = false;
    const away = () => {
      if (isAway) throw new GatewayError('UPSTREAM_UNAVAILABLE', 'the database is away', { retryable: true });
    };
    await using rig = await spendingRig(database, {
      key: { budgetUsdPerDay: 1 },
      store: (store) => ({
        ...store,
        hold: async (request) => {
          away();
          return store.hold(request);
        },
        settle: async (settlements) => {
          away();
          return store.settle(settlements);
        },
      }),
    });
    const { reservations } = await burst(rig, 1);
    isAway = true;
    await expect(rig.spending.reserve(rig.call(), never)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    reservations[0]?.settle(usage);
    await new Promise((resolve) => setImmediate(resolve));
    isAway = false;
    expect(await rig.account('key-1')).toEqual({ used: 0.004, held: 0 });
  });
});

describe('tokens per minute', () => {
  test('are taken by the worst case, and corrected by what was used', async () => {
    await using rig = await spendingRig(database, { key: { tokensPerMinute: 3_000 } });
    const { reservations, errors } = await burst(rig, 3);
    expect(reservations).toHaveLength(2);
    expect(errors[0]).toMatchObject({
      code: 'RATE_LIMITED',
      retryable: true,
      details: { limit: 3_000, retryAfterMs: expect.any(Number) },
      message: expect.stringMatching(/^key "name of key-1" may use 3000 tokens a minute \(tokensPerMinute\)/),
    });
    reservations[0]?.settle({ ...usage, inputTokens: 100, outputTokens: 0 });
    reservations[1]?.settle(null);
    expect((await burst(rig, 1)).reservations).toHaveLength(1);
  });

  test('are given back when the budget refuses the call', async () => {
    await using rig = await spendingRig(database, { key: { tokensPerMinute: 3_000, budgetUsdPerDay: 0.001 } });
    for (let call = 0; call < 5; call += 1) {
      expect((await burst(rig, 1)).errors[0]?.code).toBe('BUDGET_EXCEEDED');
    }
  });
});

test('who has no limit is not asked about, and nothing is counted for it', async () => {
  await using rig = await spendingRig(database, {});
  const call = rig.call();
  const uncounted = Object.defineProperty({ ...call }, 'inputTokens', {
    get: () => {
      throw new Error('counted');
    },
  });
  expect(rig.spending.reserve(uncounted, never)).toBeNull();
  await using keyed = await spendingRig(database, { key: {} });
  const before = new Map(database.statements);
  expect(await keyed.spending.reserve(keyed.call(), never)).toBeNull();
  expect(database.statements).toEqual(before);
});
