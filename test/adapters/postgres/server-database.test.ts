import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../adapters/postgres/database.ts';
import { openDatabase } from '../../../adapters/postgres/open-database.ts';
import { aDocument, aQuery, makeCollection, retrievalStores } from '../../helpers/search-corpus.ts';

/** A PostgreSQL with pgvector, and a user that may create databases on it. */
const serverUrl = process.env['SLUICE_TEST_DATABASE_URL'];
const dataDir = '/nowhere/never/touched';

describe.skipIf(serverUrl === undefined)('a PostgreSQL server (SLUICE_TEST_DATABASE_URL)', () => {
  const name = `sluice_test_${process.pid}_${Date.now()}`;
  const databaseUrl = new URL(serverUrl ?? 'postgres://unused');
  databaseUrl.pathname = `/${name}`;
  const open = (maxConnections = 4) =>
    openDatabase({ dataDir, databaseUrl: databaseUrl.href, maxConnections, connectTimeoutMs: 2_000 });
  let database: Database;

  async function administer(statement: string): Promise<void> {
    const client = new pg.Client(serverUrl);
    await client.connect();
    await client.query(statement);
    await client.end();
  }

  beforeAll(async () => {
    await administer(`create database ${name}`);
    // As instances of a new version start: all at once on an empty database.
    const instances = await Promise.all(Array.from({ length: 4 }, () => open()));
    for (const instance of instances.slice(1)) await instance.close();
    database = instances[0] ?? (await open());
  }, 60_000);
  afterAll(async () => {
    await database?.close();
    await administer(`drop database if exists ${name} with (force)`);
  });

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
    const nobody = new URL(databaseUrl);
    nobody.port = '1';
    await expect(openDatabase({ dataDir, databaseUrl: nobody.href })).rejects.toMatchObject({ retryable: true });
  });

  it('searches as the embedded one does', async () => {
    const stores = retrievalStores(database);
    const collection = await makeCollection(stores, 'tenant', 'default');
    await stores.documents.write('tenant', collection.id, [
      aDocument('cat', [['The cat <sleeps>.', [1, 0, 0]]], { metadata: { legs: 4 } }),
      aDocument('eagle', [['The eagle flies.', [0, 0, 1]], 'It sleeps, too.'], { metadata: { legs: 2 } }),
    ]);
    const filter = { op: 'lessThan', path: 'legs', value: 3 } as const;
    const vector = Float32Array.of(1, 0, 0);
    const [all, some] = await stores.index.search('tenant', [
      aQuery(collection, 'sleeping cats', { vector }),
      aQuery(collection, 'sleeping cats', { vector, filter }),
    ]);
    expect(all?.map(({ document }) => document.externalId)).toEqual(['cat', 'eagle', 'eagle']);
    expect(all?.[0]?.highlights).toEqual(['The <mark>cat</mark> &lt;<mark>sleeps</mark>&gt;.']);
    expect(some?.map(({ document }) => document.externalId)).toEqual(['eagle', 'eagle']);
    const ids = all?.map(({ document }) => document.id) ?? [];
    const [similar] = await stores.index.similar('tenant', ids.slice(0, 1), 3);
    expect(similar?.map(({ document }) => document.externalId)).toEqual(['eagle']);
  });

  async function running(text: string): Promise<number | undefined> {
    const [row] = await database.query<{ count: number }>(
      'running',
      sql`select count(*)::int as count from pg_stat_activity
        where state = 'active' and position(${text} in query) > 0 and pid <> pg_backend_pid() and datname = ${name}`,
    );
    return row?.count;
  }
});
