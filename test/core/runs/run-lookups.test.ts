import { expect, test } from 'vitest';
import type { RunRecord } from '../../../core/contracts/run-store.ts';
import { RunLookups } from '../../../core/runs/run-lookups.ts';

/** A store whose answers come when they are let; it has every run but "none". */
function storeOf() {
  const statements: { readonly tenant: string; readonly runIds: readonly string[]; answer(error?: Error): void }[] = [];
  const byRunIds = (tenant: string, runIds: readonly string[]): Promise<readonly RunRecord[]> =>
    new Promise((resolve, reject) => {
      const found = runIds.filter((runId) => runId !== 'none').map((runId) => ({ tenant, runId }) as RunRecord); // all that is looked at
      statements.push({ tenant, runIds, answer: (error) => (error ? reject(error) : resolve(found.toReversed())) });
    });
  return { byRunIds, statements };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('asks at once for the first, and for all that come meanwhile in one statement of each tenant', async () => {
  const store = storeOf();
  const lookups = new RunLookups(store);
  const first = lookups.find({ tenant: 'one', runId: 'a' });
  await settled();
  expect(store.statements).toMatchObject([{ tenant: 'one', runIds: ['a'] }]);
  const rest = Promise.all(
    [
      { tenant: 'one', runId: 'b' },
      { tenant: 'two', runId: 'b' },
      { tenant: 'one', runId: 'none' },
      { tenant: 'one', runId: 'b' },
    ].map((key) => lookups.find(key)),
  );
  await settled();
  expect(store.statements).toHaveLength(1);
  store.statements[0]?.answer();
  expect(await first).toEqual({ tenant: 'one', runId: 'a' });
  await settled();
  expect(store.statements.slice(1)).toMatchObject([
    { tenant: 'one', runIds: ['b', 'none'] },
    { tenant: 'two', runIds: ['b'] },
  ]);
  for (const { answer } of store.statements) answer();
  expect(await rest).toEqual([
    { tenant: 'one', runId: 'b' },
    { tenant: 'two', runId: 'b' },
    null,
    { tenant: 'one', runId: 'b' },
  ]);
});

test('a statement that fails fails those who asked, and not the next', async () => {
  const store = storeOf();
  const lookups = new RunLookups(store);
  const first = lookups.find({ tenant: 'one', runId: 'a' }).catch((error: unknown) => error);
  await settled();
  const second = lookups.find({ tenant: 'one', runId: 'a' });
  store.statements[0]?.answer(new Error('the disk is full'));
  expect(await first).toMatchObject({ message: 'the disk is full' });
  await settled();
  store.statements[1]?.answer();
  expect(await second).toMatchObject({ runId: 'a' });
});
