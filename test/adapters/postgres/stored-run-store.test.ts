import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { Database } from '../../../adapters/postgres/database.ts';
import { postgresRunStore } from '../../../adapters/postgres/run-store.ts';
import { storedRunStoreContract } from '../../contract/stored-run-store.ts';
import { emptyDatabase, openTestDatabase } from '../../helpers/test-database.ts';

let database: Database & AsyncDisposable;
beforeAll(async () => {
  database = await openTestDatabase();
});
beforeEach(() => emptyDatabase(database));
afterAll(() => database[Symbol.asyncDispose]());

storedRunStoreContract('postgresRunStore', () => postgresRunStore(database));
