import type { PayersOptions } from '../../core/spending/payers.ts';
import type { Database } from './database.ts';
import { sql } from './drizzle.ts';

type Key = Awaited<ReturnType<PayersOptions['keys']['byIds']>>[number];

/** What keys may use, also those that are revoked: their runs go on to their end. */
export function postgresKeyLimits(database: Database): PayersOptions['keys'] {
  return {
    byIds: (tenant, ids) =>
      database.query<Key>(
        'key-limits',
        sql`select name, limits, allow_unknown_price as "allowUnknownPrice" from api_keys
          where tenant = ${tenant} and id = any(${sql.param([...ids])}::text[])`,
      ),
  };
}
