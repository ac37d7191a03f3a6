import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import type { Database } from '../../adapters/postgres/database.ts';
import { openDatabase } from '../../adapters/postgres/open-database.ts';
import { temporaryDataDirectory } from './embedded-database.ts';
import { lendDatabase } from './lent-database.ts';
import { administer, type ProvidedPostgres, urlOf } from './postgres-setup.ts';

let server: ProvidedPostgres | undefined;

/** From here on the databases of tests are on this server; on none they are embedded ones. */
export function useServer(provided: ProvidedPostgres | undefined): void {
  server = provided;
}

/** Whether the databases of tests are embedded ones. */
export const isEmbedded = (): boolean => server === undefined;

/** A database of the test's own with all tables and no rows: on the twin that the test runs on, see vitest.config.ts. */
export async function openTestDatabase(
  options: { readonly maxConnections?: number } = {},
): Promise<Database & AsyncDisposable> {
  if (!server) {
    const database = await lendDatabase();
    return Object.assign(database, { [Symbol.asyncDispose]: () => database.close() });
  }
  await using opened = new AsyncDisposableStack();
  const { url } = opened.use(await temporaryPostgresDatabase());
  const database = await openDatabase({ dataDir: '/nowhere/never/touched', databaseUrl: url, ...options });
  opened.defer(() => database.close());
  const resources = opened.move();
  return Object.assign(database, { [Symbol.asyncDispose]: () => resources.disposeAsync() });
}

/** Takes all rows out of a database: for tests that each need one of their own, and that no other one is opened for. */
export async function emptyDatabase(database: Database): Promise<void> {
  const tables = await database.query<{ name: string }>(
    'tables',
    sql`select quote_ident(tablename) as name from pg_tables where schemaname = 'public'`,
  );
  await database.query('empty', sql.raw(`truncate ${tables.map(({ name }) => name).join(', ')}`));
}

/** Such a database for a gateway, as the environment names it. */
export async function temporaryDatabase(): Promise<
  AsyncDisposable & { readonly environment: Readonly<Record<string, string>> }
> {
  const opened = server ? await temporaryPostgresDatabase() : await temporaryDataDirectory();
  const environment: Record<string, string> =
    'path' in opened ? { SLUICE_DATA_DIR: opened.path } : { DATABASE_URL: opened.url };
  return { environment, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

/** A database of the test's own on the PostgreSQL of this test run; `empty` has not even tables. */
export async function temporaryPostgresDatabase(
  content: 'tables' | 'empty' = 'tables',
): Promise<AsyncDisposable & { readonly url: string }> {
  const from = server;
  if (!from) throw new Error('this test runs on PostgreSQL only: see vitest.config.ts');
  const name = `sluice_test_${randomUUID().replaceAll('-', '')}`;
  await administer(from.url, `create database ${name} template ${content === 'tables' ? from.template : 'template1'}`);
  return {
    url: urlOf(from.entrance, name),
    [Symbol.asyncDispose]: () => administer(from.url, `drop database if exists ${name} with (force)`),
  };
}
