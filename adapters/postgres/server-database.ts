import { connect } from 'node:net';
import pg from 'pg';
import type { Database, StatementObserver } from './database.ts';
import { migrate } from './migrate.ts';
import { PooledDatabase } from './pooled-database.ts';
import { requirePgvector } from './require-pgvector.ts';
import { toGatewayError } from './sql-error.ts';
import { longestHalfVector } from './vector-indexes.ts';

/** PostgreSQL's protocol: length 16, then this code, the backend's number and its secret, on a connection of its own. */
const cancelRequestCode = 80877102;
const cancelTimeoutMs = 2_000;

export interface ServerOptions {
  readonly databaseUrl: string;
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly onStatement?: StatementObserver | undefined;
}

/**
 * A pool of connections to a PostgreSQL server with pgvector, or to a pooler in front of it that gives each transaction
 * another session. So nothing here outlives a transaction: no SET, LISTEN, session lock or named statement; what the driver
 * sends when it connects is what every pooler knows (user, database, client_encoding, application_name).
 */
export async function openServer(options: ServerOptions): Promise<Database> {
  const { statementTimeoutMs } = options;
  const pool = new pg.Pool({
    connectionString: options.databaseUrl,
    max: options.maxConnections,
    connectionTimeoutMillis: options.connectTimeoutMs,
    application_name: 'sluice',
    // A lost peer is noticed on idle connections too.
    keepAlive: true,
  });
  const server = {
    longestIndexedVector: longestHalfVector,
    cancel: cancelStatement,
    statementTimeoutMs,
    begin: beginWithin(statementTimeoutMs),
  };
  const database = new PooledDatabase(pool, server, options.onStatement);
  try {
    await requirePgvector(pool);
    await migrate(pool);
  } catch (error) {
    await database.close();
    throw toGatewayError('migrate', error);
  }
  return database;
}

/**
 * In one message with `begin`, so it costs no round trip. The server then ends by itself a transaction whose gateway is lost to it:
 * its locks would be in the way of the others. Later than the gateway's own time is up, so that this one is what callers hear of.
 */
function beginWithin(statementTimeoutMs: number): string {
  const timeoutMs = statementTimeoutMs && statementTimeoutMs + 5_000;
  return `begin; set local statement_timeout = ${timeoutMs}; set local idle_in_transaction_session_timeout = ${timeoutMs}`;
}

/**
 * Asks the server to stop what runs on this connection; resolves when it has taken the request, which it says by closing
 * the connection. By protocol rather than by `pg_cancel_backend`, so that it works through a pooler too.
 */
function cancelStatement(client: pg.PoolClient): Promise<void> {
  const { processID, secretKey, host, port } = backendOf(client);
  const request = Buffer.alloc(16);
  request.writeInt32BE(16, 0);
  request.writeInt32BE(cancelRequestCode, 4);
  request.writeInt32BE(processID, 8);
  request.writeInt32BE(secretKey, 12);
  return new Promise((resolve) => {
    const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    // Whatever goes wrong here, the statement then simply runs to its end.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve());
    socket.setTimeout(cancelTimeoutMs, () => socket.destroy());
    // Not closed from here: PgBouncer takes that for a client that has gone and forgets the request (1.18 even ends on it).
    socket.write(request);
    socket.resume();
  });
}

interface Backend {
  readonly processID: number;
  readonly secretKey: number;
  readonly host: string;
  readonly port: number;
}
function backendOf(client: pg.PoolClient): Backend {
  // The driver sets these four when it connects; its type declarations leave them out.
  return client as unknown as Backend;
}
