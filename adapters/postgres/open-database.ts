import type { Database } from './database.ts';
import { openEmbedded } from './embedded.ts';
import { openServer } from './server-database.ts';

export interface DatabaseOptions {
  /** Holds the embedded database, in its folder `postgres`. Not touched when there is a `databaseUrl`. */
  readonly dataDir: string;
  /** A PostgreSQL server with pgvector, instead of the embedded one. */
  readonly databaseUrl?: string;
  /** Connections to the server; the embedded database has exactly one. */
  readonly maxConnections?: number;
  /** A statement that got no connection within this time fails as retryable. */
  readonly connectTimeoutMs?: number;
}

/** Opens the database and brings its tables up to date. */
export function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { databaseUrl, maxConnections = 10, connectTimeoutMs = 60_000 } = options;
  if (databaseUrl === undefined) return openEmbedded({ dataDir: options.dataDir, connectTimeoutMs });
  return openServer({ databaseUrl, maxConnections, connectTimeoutMs });
}
