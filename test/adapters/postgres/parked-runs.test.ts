import { afterAll, beforeAll } from 'vitest';
import type { Database } from '../../../adapters/postgres/database.ts';
import { postgresParkedRuns } from '../../../adapters/postgres/parked-runs.ts';
import { postgresRunStore } from '../../../adapters/postgres/run-store.ts';
import { parkedRunsContract } from '../../contract/parked-runs.ts';
import { openTestDatabase } from '../../helpers/test-database.ts';

let database: Database & AsyncDisposable;
beforeAll(async () => {
  database = await openTestDatabase();
}, 60_000);
afterAll(() => database[Symbol.asyncDispose]());

parkedRunsContract('postgresParkedRuns', () => ({
  parked: postgresParkedRuns(database),
  runs: postgresRunStore(database),
}));
