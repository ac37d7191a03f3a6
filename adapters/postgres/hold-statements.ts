import type { HoldRequest } from '../../core/contracts/hold-store.ts';
import { type SQL, sql } from './drizzle.ts';

/**
 * Grants what fits, in order, in one statement; no row when an account has not been opened. The accounts are locked before they
 * are read, in the order of their names: whoever comes second sees what the first has held. They are changed from what the lock
 * read (a join), so that PostgreSQL need not evaluate anything again for a row that has moved on since the statement began.
 */
export function holdStatement({ tenant, resource, accounts, instance, holds }: HoldRequest): SQL {
  const [names, caps] = [accounts.map(({ name }) => name), accounts.map(({ cap }) => cap)];
  const [ids, amounts] = [holds.map(({ id }) => id), holds.map(({ amount }) => amount)];
  return sql`with recursive today as materialized (select ${dayOf(resource)} as day),
    account as materialized (
      select accounts.name, accounts.used, accounts.held, today.day from hold_accounts accounts, today
      where accounts.tenant = ${tenant} and accounts.resource = ${resource} and accounts.day = today.day
        and accounts.name = any(${sql.param(names)}::text[])
      order by accounts.name for update of accounts
    ), room as (
      select min(bound.cap - account.used - account.held) as room from account
      join unnest(${sql.param(names)}::text[], ${sql.param(caps)}::bigint[]) as bound(name, cap) using (name)
      having count(*) = ${names.length}::int
    ), asked as (
      select id, amount, place from unnest(${sql.param(ids)}::text[], ${sql.param(amounts)}::bigint[])
        with ordinality as asked(id, amount, place)
    ), walk (place, id, amount, granted, room) as (
      select 0::bigint, ''::text, 0::bigint, false, room.room from room
      union all
      select asked.place, asked.id, asked.amount, asked.amount <= walk.room,
        case when asked.amount <= walk.room then walk.room - asked.amount else walk.room end
      from walk join asked on asked.place = walk.place + 1
    ), held as (
      insert into holds (tenant, id, resource, day, accounts, amount, instance)
      select ${tenant}, walk.id, ${resource}, today.day, ${sql.param(names)}::text[], walk.amount, ${instance}
      from walk, today where walk.granted
      returning amount
    ), total as (
      select sum(amount)::bigint as amount from held having count(*) > 0
    ), moved as (
      update hold_accounts accounts set held = accounts.held + total.amount from account, total
      where accounts.tenant = ${tenant} and accounts.resource = ${resource} and accounts.day = account.day
        and accounts.name = account.name
    )
    select (select array_agg(walk.granted order by walk.place) from walk where walk.place > 0) as granted,
      (select json_agg(json_build_object('name', name, 'used', used, 'held', held)) from account) as accounts,
      ((clock_timestamp() at time zone 'UTC')::date + 1) at time zone 'UTC' as renews_at
    from room`;
}

export function openAccounts({ tenant, resource, accounts }: HoldRequest): SQL {
  const names = accounts.map(({ name }) => name).sort();
  return sql`insert into hold_accounts (tenant, name, resource, day)
    select ${tenant}, name, ${resource}, ${dayOf(resource)} from unnest(${sql.param(names)}::text[]) as name order by name
    on conflict do nothing`;
}

/** The sums by which `moveSums` changes the accounts, from rows of holds that have ended; locked in one order for all. */
export function sumsOf(ended: SQL): SQL {
  return sql`sums as materialized (
      select tenant, name, resource, day, sum(used)::bigint as used, sum(amount)::bigint as amount
      from ${ended} as ended, unnest(ended.accounts) as name group by tenant, name, resource, day
    ), locked as materialized (
      select sums.* from hold_accounts accounts join sums using (tenant, name, resource, day)
      order by tenant, name, resource, day for update of accounts
    )`;
}

export const moveSums: SQL = sql`update hold_accounts accounts
  set used = accounts.used + locked.used, held = accounts.held - locked.amount from locked
  where accounts.tenant = locked.tenant and accounts.name = locked.name and accounts.resource = locked.resource
    and accounts.day = locked.day`;

function dayOf(resource: HoldRequest['resource']): SQL {
  return resource === 'NANO_DOLLARS' ? sql`(clock_timestamp() at time zone 'UTC')::date` : sql`'infinity'::date`;
}
