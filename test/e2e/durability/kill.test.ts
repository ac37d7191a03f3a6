import { expect, it } from 'vitest';
import { crashRounds } from '../../../bench/crash/rounds.ts';
import { temporaryDataDirectory } from '../../helpers/embedded-database.ts';

/** The bench does a hundred; these are a few with the same checks, so that a change that loses something is seen at once. */
it('a gateway killed in the middle of ingest and chat loses nothing that it had confirmed, and leaves nothing half written', async () => {
  await using directory = await temporaryDataDirectory();
  const rounds = await crashRounds({ dataDir: directory.path, rounds: 3, seed: 7 });
  expect(rounds.flatMap(({ number, faults }) => faults.map((fault) => `round ${number}: ${fault}`))).toEqual([]);
  // Otherwise nothing was proved: something was cut off, and something had been finished before.
  expect(rounds.map(({ interrupted }) => interrupted > 0)).toEqual(rounds.map(() => true));
  expect(rounds.some(({ finished }) => finished > 0)).toBe(true);
}, 180_000);
