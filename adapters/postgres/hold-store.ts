import type { HoldAnswer, HoldRequest, HoldStore } from '../../core/contracts/hold-store.ts';
import type { Database } from './database.ts';
import { sql } from './drizzle.ts';
import { holdStatement, moveSums, openAccounts, sumsOf } from './hold-statements.ts';

interface HoldRow {
  readonly granted: boolean[];
  readonly accounts: { readonly name: string; readonly used: number; readonly held: number }[];
  readonly renews_at: Date;
}

/** An instance that dies in a busy minute leaves many; the rest goes with the next look. */
const reclaimedAtOnce = 1_000;

export function postgresHoldStore(database: Database): HoldStore {
  async function hold(request: HoldRequest, signal?: AbortSignal): Promise<HoldAnswer> {
    const [row] = await database.query<HoldRow>('hold', holdStatement(request), signal);
    if (row !== undefined) return answerOf(row, request);
    // The first of these accounts in their day. Once more if midnight comes in between.
    await database.query('open-accounts', openAccounts(request), signal);
    return hold(request, signal);
  }

  return {
    hold,

    async settle(settlements) {
      if (settlements.length === 0) return;
      await database.query(
        'settle-holds',
        sql`with entry as (
            select * from jsonb_to_recordset(${JSON.stringify(settlements)}::jsonb) as entry(tenant text, id text, used bigint)
          ), ended as (
            delete from holds using entry where holds.tenant = entry.tenant and holds.id = entry.id
            returning holds.tenant, holds.resource, holds.day, holds.accounts, holds.amount, entry.used
          ), ${sumsOf(sql`ended`)} ${moveSums}`,
      );
    },

    async reclaim(callMs) {
      const [row] = await database.query<{ reclaimed: number }>(
        'reclaim-holds',
        sql`with dead as (
            select tenant, id, resource, day, accounts, amount, 0::bigint as used from holds
            where reclaimed_at is null and not exists (
              select from instances where instances.id = holds.instance and instances.lease_until > clock_timestamp()
                - case holds.resource when 'NANO_DOLLARS' then ${callMs}::float8 else 0 end * interval '1 millisecond')
            limit ${reclaimedAtOnce}::int for update of holds skip locked
          ), reclaimed as (
            update holds set amount = 0, reclaimed_at = clock_timestamp() from dead
            where holds.tenant = dead.tenant and holds.id = dead.id
          ), ${sumsOf(sql`dead`)}, moved as (${moveSums})
          select count(*)::int as reclaimed from dead`,
      );
      return row?.reclaimed ?? 0;
    },

    async forget() {
      await database.query(
        'forget-holds',
        sql`with late as (delete from holds where reclaimed_at < clock_timestamp() - interval '1 day')
          delete from hold_accounts where day < (clock_timestamp() at time zone 'UTC')::date - 7`,
      );
    },
  };
}

function answerOf({ granted, accounts, renews_at }: HoldRow, { resource }: HoldRequest): HoldAnswer {
  return { granted, accounts, renewsAt: resource === 'NANO_DOLLARS' ? renews_at : null };
}
