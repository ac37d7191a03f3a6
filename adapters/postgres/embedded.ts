import pg from 'pg';
import type { Database, StatementObserver } from './database.ts';
import { EmbeddedServer, socketPort } from './embedded-server.ts';
import { migrate } from './migrate.ts';
import { type DatabaseServer, PooledDatabase } from './pooled-database.ts';
import { toGatewayError } from './sql-error.ts';

/** Longer than any statement takes that others wait behind; then a statement fails as retryable. */
const connectTimeoutMs = 60_000;

/** PGlite in a thread of its own, durable, in `<dataDir>/postgres`, reached through a private socket by one connection. */
export async function openEmbedded(dataDir: string, onStatement?: StatementObserver): Promise<Database> {
  const server = new EmbeddedServer();
  try {
    return await connectEmbedded(server, await server.start(dataDir), onStatement);
  } catch (error) {
    await server.close();
    throw toGatewayError('open', error);
  }
}

/**
 * Connects to a server that has been started, and brings its tables up to date.
 * @param server closed with the database that is returned, and also when this rejects
 */
export async function connectEmbedded(
  server: DatabaseServer & Pick<EmbeddedServer, 'forget' | 'maintain'>,
  socketDirectory: string,
  onStatement?: StatementObserver,
): Promise<Database> {
  const pool = new pg.Pool({
    host: socketDirectory,
    port: socketPort,
    user: 'postgres',
    database: 'postgres',
    // PGlite has one session: messages of two connections would mix, and answers go to the wrong one.
    max: 1,
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: connectTimeoutMs,
    pipeline: true,
    onConnect: (client) => server.forget(client),
  });
  const database = new PooledDatabase(pool, server, onStatement);
  try {
    await migrate(pool);
  } catch (error) {
    await database.close();
    throw error;
  }
  server.maintain(database);
  return database;
}
