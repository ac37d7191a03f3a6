import type { Database, StatementObserver } from './database.ts';
import { openEmbedded } from './embedded.ts';
import { openServer } from './server-database.ts';

export interface DatabaseOptions {
  /** Holds the embedded database, in its folder `postgres`. Not touched when there is a `databaseUrl`. */
  readonly dataDir: string;
  /** A PostgreSQL server with pgvector, instead of the embedded one. */
  readonly databaseUrl?: string;
  /** Connections to the server. (This and what follows: the embedded database has one connection, and its own patience.) */
  readonly maxConnections?: number;
  /** A statement that got no connection to the server within this time fails as retryable. */
  readonly connectTimeoutMs?: number;
  /** A statement that takes longer is stopped and fails as retryable; 0: none is stopped. */
  readonly statementTimeoutMs?: number;
  readonly onStatement?: StatementObserver;
}

/** Opens the database and brings its tables up to date. */
export function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { dataDir, databaseUrl, maxConnections = 10, connectTimeoutMs = 10_000, statementTimeoutMs = 60_000 } = options;
  const { onStatement } = options;
  if (databaseUrl === undefined) return openEmbedded(dataDir, onStatement);
  return openServer({ databaseUrl, maxConnections, connectTimeoutMs, statementTimeoutMs, onStatement });
}
