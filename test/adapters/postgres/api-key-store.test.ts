import { afterAll, beforeAll, expect, test } from 'vitest';
import { postgresApiKeyStore } from '../../../adapters/postgres/api-key-store.ts';
import type { Database } from '../../../adapters/postgres/database.ts';
import { apiKeyStoreContract } from '../../contract/api-key-store.ts';
import { openTestDatabase } from '../../helpers/test-database.ts';

let database: Database & AsyncDisposable;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

test('there is no key in a new database', async () => {
  expect(await postgresApiKeyStore(database).any()).toBe(false);
});

apiKeyStoreContract('postgresApiKeyStore', () => postgresApiKeyStore(database));
