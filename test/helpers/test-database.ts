import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import type { Database } from '../../adapters/postgres/database.ts';
import { openDatabase } from '../../adapters/postgres/open-database.ts';
import { openEmbeddedDatabase } from './embedded-database.ts';
import { administer, urlOf } from './postgres-setup.ts';

/** A database of the test's own with all tables and no rows: on the twin that the test runs on, see vitest.config.ts. */
export async function openTestDatabase(
  options: { readonly maxConnections?: number } = {},
): Promise<Database & AsyncDisposable> {
  if (inject('postgres') === undefined) return await openEmbeddedDatabase();
  await using opened = new AsyncDisposableStack();
  const { url } = opened.use(await temporaryPostgresDatabase());
  const database = await openDatabase({ dataDir: '/nowhere/never/touched', databaseUrl: url, ...options });
  opened.defer(() => database.close());
  const resources = opened.move();
  return Object.assign(database, { [Symbol.asyncDispose]: () => resources.disposeAsync() });
}

/** A database of the test's own on the PostgreSQL of this test run; `empty` has not even tables. */
export async function temporaryPostgresDatabase(
  content: 'tables' | 'empty' = 'tables',
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = inject('postgres');
  if (!server) throw new Error('this test runs on PostgreSQL only: see vitest.config.ts');
  const name = `sluice_test_${randomUUID().replaceAll('-', '')}`;
  await administer(
    server.url,
    `create database ${name} template ${content === 'tables' ? server.template : 'template1'}`,
  );
  return {
    url: urlOf(server.entrance, name),
    [Symbol.asyncDispose]: () => administer(server.url, `drop database if exists ${name} with (force)`),
  };
}
