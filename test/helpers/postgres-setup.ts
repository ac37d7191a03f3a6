import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '../../adapters/postgres/open-database.ts';
import { startPooler } from './pooler.ts';
import { findPostgres, startPostgresServer } from './postgres-server.ts';

export interface ProvidedPostgres {
  /** The server's own. */
  readonly url: string;
  /** Where tests connect to: the same, or the pooler's. */
  readonly entrance: string;
  readonly template: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** There in the tests that run on PostgreSQL; nothing in those that run on the embedded database. */
    postgres: ProvidedPostgres | undefined;
  }
}

/** One server for all files of a test run, with a database that has all tables and no rows, of which each test takes a copy. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env['SLUICE_TEST_DATABASE_URL'];
  const found = findPostgres();
  // Elsewhere than in CI the project has no such file then: see vitest.config.ts.
  if (given === undefined && 'missing' in found) throw new Error(found.missing);
  const opened = new AsyncDisposableStack();
  const url = given ?? opened.use(await startPostgresServer()).url;
  const template = `sluice_test_template_${process.pid}_${Date.now()}`;
  await administer(url, `create database ${template}`);
  opened.defer(() => administer(url, `drop database if exists ${template} with (force)`));
  const database = await openDatabase({ dataDir: '/nowhere', databaseUrl: urlOf(url, template), maxConnections: 1 });
  await database.close();
  const entrance = project.name === 'pooler' ? opened.use(await startPooler(url, { sessions: 3 })).url : url;
  project.provide('postgres', { url, entrance, template });
  return () => opened.disposeAsync();
}

/** One statement outside of any transaction, as the user of the URL. */
export async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

export function urlOf(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}
