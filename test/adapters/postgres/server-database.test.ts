import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../adapters/postgres/database.ts';
import { type DatabaseOptions, openDatabase } from '../../../adapters/postgres/open-database.ts';
import { aDocument, aQuery, makeCollection, retrievalStores } from '../../helpers/search-corpus.ts';
import { temporaryPostgresDatabase } from '../../helpers/test-database.ts';
import { silentRelay } from './silent-relay.ts';

/* Runs with PostgreSQL itself and with a pooler in front of it: see vitest.config.ts. */
const dataDir = '/nowhere/never/touched';
let url: string;
let database: Database;
const cleanup = new AsyncDisposableStack();

beforeAll(async () => {
  ({ url } = cleanup.use(await temporaryPostgresDatabase('empty')));
  // As instances of a new version start: all at once on an empty database.
  const instances = await Promise.all(Array.from({ length: 6 }, () => open()));
  for (const instance of instances) cleanup.use(instance);
  database = instances[0] ?? (await open());
});
afterAll(() => cleanup.disposeAsync());

async function open(options: Omit<Partial<DatabaseOptions>, 'dataDir'> = {}): Promise<Database & AsyncDisposable> {
  const opened = await openDatabase({ dataDir, databaseUrl: url, maxConnections: 4, ...options });
  return Object.assign(opened, { [Symbol.asyncDispose]: () => opened.close() });
}

async function running(text: string): Promise<number | undefined> {
  const [row] = await database.query<{ count: number }>(
    'running',
    sql`select count(*)::int as count from pg_stat_activity
      where state = 'active' and position(${text} in query) > 0 and pid <> pg_backend_pid() and datname = current_database()`,
  );
  return row?.count;
}

it('was migrated once by instances that started together', async () => {
  const [row] = await database.query<{ runs: number; distinct: number }>(
    'migrations',
    sql`select count(*)::int as runs, count(distinct hash)::int as distinct from drizzle.__drizzle_migrations`,
  );
  expect(row?.runs).toBe(row?.distinct);
  expect(row?.runs).toBeGreaterThan(0);
});

it('runs statements of several callers at the same time', async () => {
  const controller = new AbortController();
  const naps = [1, 2].map(() => database.query('nap', sql`select pg_sleep(59)`, controller.signal));
  const ended = Promise.allSettled(naps);
  await expect.poll(() => running('pg_sleep(59)')).toBe(2);
  controller.abort();
  await ended;
});

it('leaves nothing behind in a session, which may be another’s next', async () => {
  const stores = retrievalStores(database);
  const collection = await makeCollection(stores, 'tenant', 'default');
  const documents = [aDocument('cat', [['The cat sleeps.', [1, 0, 0]]])];
  const state = sql`select current_setting('enable_sort') as sort, current_setting('statement_timeout') as timeout,
    (select count(*)::int from pg_prepared_statements) as prepared,
    (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks`;
  // Together, so that every session of the pool, and of a pooler, is used.
  const seen = await Promise.all(
    Array.from({ length: 12 }, async () => {
      await stores.documents.write('tenant', collection.id, documents);
      await Promise.all(
        stores.index.search('tenant', [aQuery(collection, 'cats', { vector: Float32Array.of(1, 0, 0) })]),
      );
      return await database.query('state', state);
    }),
  );
  const clean = { sort: 'on', timeout: '0', prepared: 0, locks: 0 };
  expect(seen).toEqual(seen.map(() => [clean]));
});

describe('a statement whose caller has gone', () => {
  it('is told to stop', async () => {
    const controller = new AbortController();
    const long = database.query('long', sql`select pg_sleep(60)`, controller.signal);
    await expect.poll(() => running('pg_sleep(60)')).toBe(1);
    controller.abort();
    await expect(long).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect.poll(() => running('pg_sleep(60)')).toBe(0);
  });

  it('does not take the next one on its connection with it', async () => {
    await using single = await open({ maxConnections: 1 });
    for (let round = 0; round < 20; round += 1) {
      const controller = new AbortController();
      const cut = single.query('cut', sql`select pg_sleep(0.005)`, controller.signal);
      const next = single.query<{ round: number }>('next', sql`select ${round}::int as round from pg_sleep(0.01)`);
      await pause(round % 10);
      controller.abort();
      await cut.catch(() => {});
      expect(await next).toEqual([{ round }]);
    }
  });

  it('rolls its transaction back', async () => {
    const controller = new AbortController();
    const cut = database.transaction(
      'cut',
      async (transaction) => {
        await transaction.query('make', sql`create table half_made (value int)`);
        await transaction.query('long', sql`select pg_sleep(61)`);
      },
      controller.signal,
    );
    await expect.poll(() => running('pg_sleep(61)')).toBe(1);
    controller.abort();
    await expect(cut).rejects.toMatchObject({ code: 'CANCELLED' });
    const gone = sql`select to_regclass('half_made') is null as gone`;
    await expect.poll(() => database.query('look', gone)).toEqual([{ gone: true }]);
    await expect.poll(() => running('pg_sleep(61)')).toBe(0);
  });
});

describe.concurrent('a statement that takes longer than database.statementTimeoutMs', () => {
  it('is stopped, and named in a retryable error', async () => {
    await using hasty = await open({ maxConnections: 1, statementTimeoutMs: 1_000 });
    await expect(hasty.query('long', sql`select pg_sleep(62)`)).rejects.toMatchObject({
      code: 'INTERNAL',
      retryable: true,
      message: 'database statement long was stopped: it took longer than database.statementTimeoutMs (1000)',
    });
    expect(await running('pg_sleep(62)')).toBe(0);
    expect(await hasty.query('next', sql`select 1 as one`)).toEqual([{ one: 1 }]);
  });

  it('takes its transaction back', async () => {
    await using hasty = await open({ maxConnections: 1, statementTimeoutMs: 1_000 });
    const work = hasty.transaction('both', async (transaction) => {
      await transaction.query('make', sql`create table too_late (value int)`);
      await transaction.query('long', sql`select pg_sleep(63)`);
    });
    await expect(work).rejects.toMatchObject({ retryable: true });
    expect(await hasty.query('look', sql`select to_regclass('too_late') as found`)).toEqual([{ found: null }]);
  });

  it('loses its connection when the server does not even answer that it stops', async () => {
    await using relay = await silentRelay(url);
    await using hasty = await open({ databaseUrl: relay.url, maxConnections: 1, statementTimeoutMs: 1_000 });
    relay.fallSilent();
    await expect(hasty.query('lost', sql`select 1`)).rejects.toMatchObject({ code: 'INTERNAL', retryable: true });
    expect(hasty.health().ok).toBe(false);
    relay.speak();
    expect(await hasty.query('again', sql`select 1 as one`)).toEqual([{ one: 1 }]);
    expect(hasty.health()).toEqual({ ok: true, detail: null });
  });
});

describe('a failure', () => {
  it.each([
    ['a lost connection', '08006', true],
    ['a server that has become a standby', '25006', true],
    ['a serialization failure', '40001', true],
    ['a deadlock', '40P01', true],
    ['too many connections', '53300', true],
    ['a lock that was not to be had', '55P03', true],
    ['a shutdown', '57P01', true],
    ['a duplicate', '23505', false],
    ['a missing right', '42501', false],
  ])('of %s (%s) is marked as retryable or not: %s', async (_, state, retryable) => {
    await using single = await open({ maxConnections: 1 });
    const raise = sql.raw(`do $$ begin raise exception using errcode = '${state}'; end $$`);
    const message = `database statement raise failed with SQLSTATE ${state}`;
    await expect(single.query('raise', raise)).rejects.toMatchObject({ code: 'INTERNAL', retryable, message });
    expect(await single.query('next', sql`select 1 as one`)).toEqual([{ one: 1 }]);
  });

  it('that loses the connection shows in the health until there is a new one', async () => {
    await using single = await open({ maxConnections: 1 });
    const long = single.query('long', sql`select pg_sleep(64)`);
    await expect.poll(() => running('pg_sleep(64)')).toBe(1);
    const lost = expect(long).rejects.toMatchObject({ code: 'INTERNAL', retryable: true });
    const others = sql`select pg_terminate_backend(pid) from pg_stat_activity
      where query = 'select pg_sleep(64)' and state = 'active'`;
    await database.query('kill', others);
    await lost;
    expect(single.health().ok).toBe(false);
    expect(await single.query('again', sql`select 1 as one`)).toEqual([{ one: 1 }]);
    expect(single.health()).toEqual({ ok: true, detail: null });
  });

  it('to get a connection in time is retryable', async () => {
    await using single = await open({ maxConnections: 1, connectTimeoutMs: 1_000 });
    const controller = new AbortController();
    const holding = single.query('hold', sql`select pg_sleep(65)`, controller.signal).catch(() => {});
    await expect(single.query('wait', sql`select 1`)).rejects.toMatchObject({ code: 'INTERNAL', retryable: true });
    controller.abort();
    await holding;
  });

  it('to reach the server at all is retryable', async () => {
    const nobody = new URL(url);
    nobody.port = '1';
    await expect(open({ databaseUrl: nobody.href })).rejects.toMatchObject({ retryable: true });
  });
});
