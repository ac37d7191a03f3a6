import { afterEach, beforeEach } from 'vitest';
import type { Database } from '../../../adapters/postgres/database.ts';
import { postgresRunStore } from '../../../adapters/postgres/run-store.ts';
import type { StoredRunStore } from '../../../core/contracts/run-store.ts';
import { storedRunStoreContract } from '../../contract/stored-run-store.ts';
import { openTestDatabase } from '../../helpers/test-database.ts';

let database: Database & AsyncDisposable;
let store: StoredRunStore;
beforeEach(async () => {
  database = await openTestDatabase();
  store = postgresRunStore(database);
}, 60_000);
afterEach(() => database[Symbol.asyncDispose]());

storedRunStoreContract('postgresRunStore', () => store);
