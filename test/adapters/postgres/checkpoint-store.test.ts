import { afterAll, beforeAll } from 'vitest';
import { postgresCheckpointStore } from '../../../adapters/postgres/checkpoint-store.ts';
import type { Database } from '../../../adapters/postgres/database.ts';
import { postgresRunStore } from '../../../adapters/postgres/run-store.ts';
import { checkpointStoreContract } from '../../contract/checkpoint-store.ts';
import { openTestDatabase } from '../../helpers/test-database.ts';

let database: Database & AsyncDisposable;
beforeAll(async () => {
  database = await openTestDatabase();
}, 60_000);
afterAll(() => database[Symbol.asyncDispose]());

checkpointStoreContract('postgresCheckpointStore', () => ({
  checkpoints: postgresCheckpointStore(database),
  runs: postgresRunStore(database),
}));
