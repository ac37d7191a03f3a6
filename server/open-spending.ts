import type { Database } from '../adapters/postgres/database.ts';
import { postgresHoldStore } from '../adapters/postgres/hold-store.ts';
import { postgresKeyLimits } from '../adapters/postgres/key-limits.ts';
import type { Logger } from '../core/contracts/logger.ts';
import type { RateLimiter } from '../core/contracts/rate-limiter.ts';
import type { RunSlots } from '../core/contracts/run-slots.ts';
import type { Spending } from '../core/contracts/spending.ts';
import { type Admit, createAdmit } from '../core/spending/admission.ts';
import { createSpending } from '../core/spending/gate.ts';
import { Holds } from '../core/spending/holds.ts';
import { Payers } from '../core/spending/payers.ts';
import { createRunSlots } from '../core/spending/run-slots.ts';
import type { Config } from './config-schema.ts';
import { realClock } from './real-clock.ts';

interface Parts {
  readonly database: Database;
  readonly instance: string;
  readonly rateLimiter: RateLimiter;
  readonly logger: Logger;
}

export interface OpenSpending {
  readonly spending: Spending;
  readonly slots: RunSlots;
  readonly admit: Admit;
  /** After the last call has ended: what calls have cost is written. */
  close(): Promise<void>;
}

/** What keys and tenants may use: dollars and runs are counted in the database, rates where instances share them. */
export function openSpending(config: Config, { database, instance, rateLimiter, logger }: Parts): OpenSpending {
  const holds = new Holds({ store: postgresHoldStore(database), instance, clock: realClock, logger });
  const payers = new Payers({
    tenants: new Map(Object.entries(config.tenants)),
    keys: postgresKeyLimits(database),
  });
  return {
    spending: createSpending({ payers, holds, rateLimiter }),
    slots: createRunSlots({ payers, holds }),
    admit: createAdmit(payers, rateLimiter),
    close: () => holds.close(),
  };
}
