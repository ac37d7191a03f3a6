import { expect, it } from 'vitest';
import { crashRounds } from '../../../bench/crash/rounds.ts';
import { temporaryDataDirectory } from '../../helpers/embedded-database.ts';

/** The bench does a hundred; these are two with the same checks, one with each provider, so that a change that loses something is seen at once. */
it('a gateway killed in the middle of ingest and chat loses nothing that it had confirmed, and leaves nothing half written', async () => {
  await using directory = await temporaryDataDirectory();
  const rounds = await crashRounds({ dataDir: directory.path, rounds: 2, seed: 7, vendorEvery: 2 });
  expect(rounds.flatMap(({ number, faults }) => faults.map((fault) => `round ${number}: ${fault}`))).toEqual([]);
  // Otherwise nothing was proved: something was cut off, and something had been finished before.
  expect(rounds.map(({ interrupted }) => interrupted > 0)).toEqual(rounds.map(() => true));
  expect(rounds.some(({ finished }) => finished > 0)).toBe(true);
}, 300_000);
