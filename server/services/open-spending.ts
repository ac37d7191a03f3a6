import type { Database } from '../../adapters/postgres/database.ts';
import { postgresHoldStore } from '../../adapters/postgres/hold-store.ts';
import type { ApiKeyStore } from '../../core/contracts/api-key-store.ts';
import type { Logger } from '../../core/contracts/logger.ts';
import type { RateLimiter } from '../../core/contracts/rate-limiter.ts';
import type { RunSlots } from '../../core/contracts/run-slots.ts';
import type { Spending } from '../../core/contracts/spending.ts';
import { type Admit, createAdmit } from '../../core/spending/admission.ts';
import { createSpending } from '../../core/spending/gate.ts';
import { Holds } from '../../core/spending/holds.ts';
import { type PayerLimits, Payers } from '../../core/spending/payers.ts';
import { createRunSlots } from '../../core/spending/run-slots.ts';
import type { Config } from '../config/config-schema.ts';
import { realClock } from '../real-clock.ts';

interface Parts {
  readonly database: Database;
  readonly instance: string;
  readonly apiKeys: Pick<ApiKeyStore, 'byIds'>;
  readonly rateLimiter: RateLimiter;
  readonly logger: Logger;
}

export interface OpenSpending {
  readonly spending: Spending;
  readonly slots: RunSlots;
  readonly admit: Admit;
  /** Of the configuration; null: it has none. */
  readonly tenantLimits: (tenant: string) => PayerLimits | null;
  /** After the last call has ended: what calls have cost is written. */
  close(): Promise<void>;
}

/** What keys and tenants may use: dollars and runs are counted in the database, rates where instances share them. */
export function openSpending(
  config: Config,
  { database, instance, apiKeys, rateLimiter, logger }: Parts,
): OpenSpending {
  const holds = new Holds({
    store: postgresHoldStore(database),
    ...{ instance, callMs: config.timeouts.totalMs },
    clock: realClock,
    logger,
  });
  const payers = new Payers({
    tenants: new Map(Object.entries(config.tenants)),
    keys: apiKeys,
  });
  return {
    spending: createSpending({ payers, holds, rateLimiter }),
    slots: createRunSlots({ payers, holds }),
    admit: createAdmit(payers, rateLimiter),
    tenantLimits: (tenant) => (Object.hasOwn(config.tenants, tenant) ? (config.tenants[tenant]?.limits ?? null) : null),
    close: () => holds.close(),
  };
}
