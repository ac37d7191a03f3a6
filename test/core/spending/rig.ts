import { randomUUID } from 'node:crypto';
import { memoryRateLimiter } from '../../../adapters/memory/rate-limiter.ts';
import type { Database } from '../../../adapters/postgres/database.ts';
import { sql } from '../../../adapters/postgres/drizzle.ts';
import { postgresHoldStore } from '../../../adapters/postgres/hold-store.ts';
import { postgresRunStore } from '../../../adapters/postgres/run-store.ts';
import type { HoldStore } from '../../../core/contracts/hold-store.ts';
import type { Logger } from '../../../core/contracts/logger.ts';
import type { PlannedCall } from '../../../core/contracts/spending.ts';
import { createSpending } from '../../../core/spending/gate.ts';
import { Holds } from '../../../core/spending/holds.ts';
import { type PayerLimits, Payers } from '../../../core/spending/payers.ts';
import { realClock } from '../../../server/real-clock.ts';

export const unlimited: PayerLimits = {
  requestsPerMinute: null,
  tokensPerMinute: null,
  budgetUsdPerDay: null,
  maxConcurrentRuns: null,
};

const silent: Logger = { child: () => silent, debug() {}, info() {}, warn() {}, error() {} };

export interface SpendingRig extends AsyncDisposable {
  readonly tenant: string;
  readonly spending: ReturnType<typeof createSpending>;
  readonly holds: Holds;
  readonly instance: string;
  /** A call of 1,000 input tokens and at most 500 of output at $2 and $4 a million: $0.004 in the worst case. */
  call(changes?: Partial<PlannedCall>): PlannedCall;
  /** Of today, in US dollars. */
  account(name: string): Promise<{ used: number; held: number }>;
  die(): Promise<void>;
}

/** One instance's spending over a database that it may share. */
export async function spendingRig(
  database: Database,
  options: {
    readonly tenant?: string;
    readonly key?: Partial<PayerLimits>;
    readonly tenantLimits?: Partial<PayerLimits>;
    readonly allowUnknownPrice?: boolean;
    readonly store?: (store: HoldStore) => HoldStore;
  } = {},
): Promise<SpendingRig> {
  const { tenant = randomUUID(), key, tenantLimits, allowUnknownPrice = false } = options;
  const runs = postgresRunStore(database);
  const instance = randomUUID();
  await runs.enter({ instance, leaseMs: 600_000 }, { alone: false, others: 'unknown' });
  const store = options.store?.(postgresHoldStore(database)) ?? postgresHoldStore(database);
  const holds = new Holds({ store, instance, callMs: 0, clock: realClock, logger: silent });
  const payers = new Payers({
    tenants: new Map(
      tenantLimits === undefined ? [] : [[tenant, { limits: { ...unlimited, ...tenantLimits }, allowUnknownPrice }]],
    ),
    keys: {
      byIds: async (of, ids) =>
        of !== tenant || key === undefined
          ? []
          : ids.map((id) => ({ name: `name of ${id}`, limits: { ...unlimited, ...key }, allowUnknownPrice })),
    },
  });
  return {
    tenant,
    holds,
    instance,
    spending: createSpending({ payers, holds, rateLimiter: memoryRateLimiter() }),
    call: (changes) => ({
      tenant,
      payer: key === undefined ? null : 'key-1',
      model: 'priced',
      price: { inputUsdPerMillion: 2, cachedInputUsdPerMillion: 1, outputUsdPerMillion: 4 },
      inputTokens: 1_000,
      inputBound: null,
      maxOutputTokens: 500,
      modelMaxOutputTokens: null,
      choices: 1,
      ...changes,
    }),
    async account(name) {
      await holds.flush();
      const rows = await database.query<{ used: number; held: number }>(
        'account',
        sql`select used / 1e9::float8 as used, held / 1e9::float8 as held from hold_accounts
          where tenant = ${tenant} and name = ${name} and resource = 'NANO_DOLLARS'`,
      );
      return rows[0] ?? { used: 0, held: 0 };
    },
    die: () => runs.leave(instance),
    [Symbol.asyncDispose]: () => holds.close(),
  };
}
