import { rmSync } from 'node:fs';
import pg from 'pg';
import type { Database, StatementObserver } from '../../adapters/postgres/database.ts';
import { connectEmbedded } from '../../adapters/postgres/embedded.ts';
import { EmbeddedServer, socketPort } from '../../adapters/postgres/embedded-server.ts';
import { temporaryDataDirectory } from './embedded-database.ts';

/** An embedded database that is open. */
interface OpenServer {
  readonly server: EmbeddedServer;
  readonly directory: Awaited<ReturnType<typeof temporaryDataDirectory>>;
  readonly socketDirectory: string;
  /** Numbers of the tables and indexes that were there when it was new. */
  readonly own: readonly number[];
}

/** Which nobody uses now. Few, since a file seldom has more than two gateways at a time, and each has some 150 MB. */
const idle: OpenServer[] = [];
const mostIdle = 2;
/** All of this process, for its end. */
const open = new Set<OpenServer>();

/**
 * A real embedded database with all tables and no rows, which is emptied and lent again when it is closed: opening one takes a second of
 * processor time, emptying one a twentieth of that. For whoever does not test how a database is opened and closed.
 */
export async function lendDatabase(onStatement?: StatementObserver): Promise<Database> {
  const lent = idle.pop() ?? (await openServer());
  const { server, socketDirectory } = lent;
  return await connectEmbedded(
    {
      longestIndexedVector: server.longestIndexedVector,
      pipelines: server.pipelines,
      prepared: server.prepared,
      readSettings: server.readSettings,
      forget: (client) => server.forget(client),
      maintain: (database) => server.maintain(database),
      stop: () => server.stop(),
      fatal: () => server.fatal(),
      close: () => takeBack(lent),
    },
    socketDirectory,
    onStatement,
  );
}

async function openServer(): Promise<OpenServer> {
  const directory = await temporaryDataDirectory();
  const server = new EmbeddedServer();
  const socketDirectory = await server.start(directory.path);
  const own = await withSession(socketDirectory, tablesAndIndexes);
  const made = { server, directory, socketDirectory, own: own.map(({ number }) => number) };
  if (open.size === 0) process.once('SIGTERM', removeAll);
  open.add(made);
  return made;
}

async function takeBack(lent: OpenServer): Promise<void> {
  if (lent.server.fatal() === null && idle.length < mostIdle) {
    await withSession(lent.socketDirectory, (session) => makeAsNew(session, lent.own));
    idle.push(lent);
    return;
  }
  open.delete(lent);
  await lent.server.close();
  await lent.directory[Symbol.asyncDispose]();
}

async function withSession<T>(socketDirectory: string, work: (session: pg.Client) => Promise<T>): Promise<T> {
  const session = new pg.Client({ host: socketDirectory, port: socketPort, user: 'postgres', database: 'postgres' });
  await session.connect();
  try {
    return await work(session);
  } finally {
    await session.end();
  }
}

async function tablesAndIndexes(session: pg.Client) {
  const { rows } = await session.query<{ number: number; name: string; kind: 'r' | 'i' }>(
    `select oid::int as number, oid::regclass::text as name, relkind as kind from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'i') order by relkind desc`,
  );
  return rows;
}

/** No rows, nothing that was made later, no statistics of what was there, and nothing of its session. */
async function makeAsNew(session: pg.Client, own: readonly number[]): Promise<void> {
  await session.query('discard all');
  for (const { number, name, kind } of await tablesAndIndexes(session)) {
    if (own.includes(number)) continue;
    await session.query(`drop ${kind === 'r' ? 'table' : 'index'} if exists ${name} cascade`);
  }
  await session.query(emptyAll);
}

/** Of few tables that hold something: to truncate all of them takes several times as long. */
const emptyAll = `
  do $$
  declare
    name text;
    is_filled boolean;
    filled text[] := '{}';
  begin
    for name in select oid::regclass from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' loop
      execute format('select exists (select from %s)', name) into is_filled;
      if is_filled then filled := filled || name; end if;
    end loop;
    if filled <> '{}' then
      execute format('truncate %s restart identity cascade', array_to_string(filled, ', '));
    end if;
    delete from pg_statistic using pg_class where starelid = oid and relnamespace = 'public'::regnamespace;
  end $$`;

/** Vitest ends the process of its tests by this signal, and waits for nothing any more. */
function removeAll(): void {
  for (const { directory, socketDirectory } of open) {
    for (const path of [directory.path, socketDirectory]) rmSync(path, { recursive: true, force: true });
  }
  process.exit();
}
