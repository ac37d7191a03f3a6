import { expect, test } from 'vitest';
import { budgetRounds } from '../../../bench/budget/rounds.ts';
import { findPostgres } from '../../helpers/postgres-server.ts';
import { hasRedis } from '../../helpers/redis-server.ts';

const isMissing = process.env['CI'] === undefined && ('missing' in findPostgres() || !hasRedis);

/** The bench asks 500 times; the budget bears 50 worst cases all the same. */
test.skipIf(isMissing)(
  'a budget of 50 worst cases serves 50 calls over two instances, and gives back what a killed one had set aside',
  async () => {
    const { cap, worstCase, burst, killed, meanwhile, afterwards } = await budgetRounds(150);
    expect(burst).toMatchObject({ served: 50, refused: 100, died: 0, failed: [], reported: cap, spent: cap, held: 0 });
    expect(killed.failed).toEqual([]);
    expect(killed.died).toBeGreaterThanOrEqual(20);
    expect(killed.served).toBeLessThanOrEqual(30);
    expect(meanwhile).toMatchObject({
      served: 0,
      refused: 150,
      failed: [],
      spent: killed.spent,
      held: cap - killed.spent,
    });
    // All that the killed one had under way, and not one more.
    expect(afterwards).toMatchObject({ served: 50 - killed.served, failed: [], spent: cap, held: 0 });
    expect(killed.reported).toBe(killed.served * worstCase);
  },
  180_000,
);
