import { createRequire } from 'node:module';

/*
 * drizzle-orm comes in through here only, as CommonJS. As an ES module it costs a start half a second more: for each of its
 * hundreds of inner imports Node parses the package's description anew, which is 180 KB long.
 */
const require = createRequire(import.meta.url);

export type { SQL } from 'drizzle-orm';
export const { sql }: typeof import('drizzle-orm') = require('drizzle-orm');
export const { PgDialect }: typeof import('drizzle-orm/pg-core') = require('drizzle-orm/pg-core');
export const { drizzle }: typeof import('drizzle-orm/node-postgres') = require('drizzle-orm/node-postgres');
export const { migrate: runMigrations }: typeof import('drizzle-orm/node-postgres/migrator') =
  require('drizzle-orm/node-postgres/migrator');
