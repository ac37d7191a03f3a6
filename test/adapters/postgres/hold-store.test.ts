import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../../../adapters/postgres/database.ts';
import { sql } from '../../../adapters/postgres/drizzle.ts';
import { postgresHoldStore } from '../../../adapters/postgres/hold-store.ts';
import { postgresRunStore } from '../../../adapters/postgres/run-store.ts';
import { holdStoreContract } from '../../contract/hold-store.ts';
import { openTestDatabase } from '../../helpers/test-database.ts';

let database: Database & AsyncDisposable;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

const instances = {
  async enter() {
    const instance = randomUUID();
    await postgresRunStore(database).enter({ instance, leaseMs: 600_000 }, { alone: false, others: 'unknown' });
    return instance;
  },
  async lapse(instance: string) {
    await database.query('lapse', sql`update instances set lease_until = clock_timestamp() where id = ${instance}`);
  },
  leave: (instance: string) => postgresRunStore(database).leave(instance),
};

holdStoreContract('postgresHoldStore', () => postgresHoldStore(database), instances);

test('yesterday is over: what was used or held then does not count today, and is settled for then', async () => {
  const store = postgresHoldStore(database);
  const instance = await instances.enter();
  const request = {
    tenant: randomUUID(),
    resource: 'NANO_DOLLARS',
    accounts: [{ name: 'key', cap: 10 }],
    instance,
  } as const;
  const hold = (id: string) => store.hold({ ...request, holds: [{ id, amount: 10 }] });
  expect((await hold('late')).granted).toEqual([true]);
  for (const table of [sql`holds`, sql`hold_accounts`]) {
    await database.query('a-day-passes', sql`update ${table} set day = day - 1 where tenant = ${request.tenant}`);
  }
  expect((await hold('today')).granted).toEqual([true]);
  await store.settle([{ tenant: request.tenant, id: 'late', used: 8 }]);
  const rows = await database.query(
    'accounts',
    sql`select used::int, held::int from hold_accounts where tenant = ${request.tenant} order by day`,
  );
  expect(rows).toEqual([
    { used: 8, held: 0 },
    { used: 0, held: 10 },
  ]);
});

test('accounts of days long over are forgotten', async () => {
  const tenant = randomUUID();
  const store = postgresHoldStore(database);
  await store.hold({
    tenant,
    resource: 'NANO_DOLLARS',
    accounts: [{ name: 'a', cap: 1 }],
    instance: 'none',
    holds: [],
  });
  await store.hold({ tenant, resource: 'RUNS', accounts: [{ name: 'a', cap: 1 }], instance: 'none', holds: [] });
  await database.query('days-pass', sql`update hold_accounts set day = day - 9 where tenant = ${tenant}`);
  await store.forget();
  const rows = await database.query('accounts', sql`select resource from hold_accounts where tenant = ${tenant}`);
  expect(rows).toEqual([{ resource: 'RUNS' }]);
});
