import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../adapters/postgres/database.ts';
import { openDatabase } from '../../../adapters/postgres/open-database.ts';
import { temporaryPostgresDatabase } from '../../helpers/test-database.ts';

const dataDir = '/nowhere/never/touched';

describe('a PostgreSQL server', () => {
  let url: string;
  let database: Database;
  const cleanup = new AsyncDisposableStack();
  const open = (maxConnections = 4) =>
    openDatabase({ dataDir, databaseUrl: url, maxConnections, connectTimeoutMs: 2_000 });

  beforeAll(async () => {
    ({ url } = cleanup.use(await temporaryPostgresDatabase('empty')));
    // As instances of a new version start: all at once on an empty database.
    const instances = await Promise.all(Array.from({ length: 6 }, () => open()));
    for (const instance of instances.slice(1)) await instance.close();
    database = instances[0] ?? (await open());
    cleanup.defer(() => database.close());
  });
  afterAll(() => cleanup.disposeAsync());

  it('was migrated once by instances that started together', async () => {
    const [row] = await database.query<{ runs: number; distinct: number }>(
      'migrations',
      sql`select count(*)::int as runs, count(distinct hash)::int as distinct from drizzle.__drizzle_migrations`,
    );
    expect(row?.runs).toBe(row?.distinct);
    expect(row?.runs).toBeGreaterThan(0);
  });

  it('runs statements of several callers at the same time', async () => {
    const started = performance.now();
    await Promise.all([1, 2, 3, 4].map(() => database.query('nap', sql`select pg_sleep(0.5)`)));
    expect(performance.now() - started).toBeLessThan(1_500);
  });

  it('is told to stop a statement whose caller has gone', async () => {
    const controller = new AbortController();
    const long = database.query('long', sql`select pg_sleep(60)`, controller.signal);
    await expect.poll(() => running('pg_sleep(60)')).toBe(1);
    controller.abort();
    await expect(long).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect.poll(() => running('pg_sleep(60)')).toBe(0);
  });

  it('does not stop the next statement on the connection in its place', async () => {
    const single = await open(1);
    try {
      for (let round = 0; round < 20; round += 1) {
        const controller = new AbortController();
        const cut = single.query('cut', sql`select pg_sleep(0.005)`, controller.signal);
        const next = single.query<{ round: number }>('next', sql`select ${round}::int as round from pg_sleep(0.01)`);
        await pause(round % 10);
        controller.abort();
        await cut.catch(() => {});
        expect(await next).toEqual([{ round }]);
      }
    } finally {
      await single.close();
    }
  });

  it('rolls back and goes on when a transaction is cut', async () => {
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
    await expect
      .poll(() => database.query('look', sql`select to_regclass('half_made') is null as gone`))
      .toEqual([{ gone: true }]);
    await expect.poll(() => running('pg_sleep(61)')).toBe(0);
  });

  it('loses a connection as a retryable error, shows it, and gets a new one', async () => {
    const single = await open(1);
    const [own] = await single.query<{ pid: number }>('pid', sql`select pg_backend_pid() as pid`);
    const long = single.query('long', sql`select pg_sleep(62)`);
    await expect.poll(() => running('pg_sleep(62)')).toBe(1);
    const lost = expect(long).rejects.toMatchObject({ code: 'INTERNAL', retryable: true });
    await database.query('kill', sql`select pg_terminate_backend(${own?.pid})`);
    await lost;
    expect(single.health().ok).toBe(false);
    expect(await single.query('again', sql`select 1 as one`)).toEqual([{ one: 1 }]);
    expect(single.health()).toEqual({ ok: true, detail: null });
    await single.close();
  });

  it('gives up waiting for a connection', async () => {
    const single = await open(1);
    const holding = single.query('hold', sql`select pg_sleep(3)`);
    await expect(single.query('wait', sql`select 1`)).rejects.toMatchObject({ code: 'INTERNAL', retryable: true });
    await holding;
    await single.close();
  });

  it('that cannot be reached is a retryable error', async () => {
    const nobody = new URL(url);
    nobody.port = '1';
    await expect(openDatabase({ dataDir, databaseUrl: nobody.href })).rejects.toMatchObject({ retryable: true });
  });

  async function running(text: string): Promise<number | undefined> {
    const [row] = await database.query<{ count: number }>(
      'running',
      sql`select count(*)::int as count from pg_stat_activity
        where state = 'active' and position(${text} in query) > 0 and pid <> pg_backend_pid() and datname = current_database()`,
    );
    return row?.count;
  }
});
