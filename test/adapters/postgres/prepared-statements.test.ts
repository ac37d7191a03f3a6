import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../adapters/postgres/database.ts';
import { PreparedStatements } from '../../../adapters/postgres/prepared-statements.ts';
import { openEmbeddedDatabase } from '../../helpers/embedded-database.ts';

describe('the names of statements', () => {
  it('are given to what has come twice before, and stay', () => {
    const prepared = new PreparedStatements(10);
    expect(['a', 'b', 'a', 'a', 'b', 'a', 'b'].map((text) => prepared.nameOf(text))).toEqual([
      ...[undefined, undefined, undefined, 's0', undefined, 's0', 's1'],
    ]);
  });

  it('are given to no more texts than there is room for, until all are forgotten', () => {
    const prepared = new PreparedStatements(1);
    const thrice = (text: string) => [1, 2, 3].map(() => prepared.nameOf(text)).at(-1);
    expect([thrice('a'), prepared.isFull, thrice('b'), prepared.nameOf('a')]).toEqual(['s0', true, undefined, 's0']);
    prepared.forget();
    expect([prepared.isFull, thrice('b')]).toEqual([false, 's0']);
  });

  it('are not given to texts that come among a thousand others', () => {
    const prepared = new PreparedStatements(10);
    const named = [1, 2, 3].flatMap(() => Array.from({ length: 1_500 }, (_, text) => prepared.nameOf(String(text))));
    expect(named.filter((name) => name !== undefined)).toEqual([]);
  });
});

describe('the session of the embedded database', () => {
  let database: Database & AsyncDisposable;
  beforeAll(async () => {
    database = await openEmbeddedDatabase();
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const kept = async (mark: string) => {
    const rows = await database.query<{ plans: { generic: number; custom: number } }>(
      'kept',
      sql.raw(`select jsonb_build_object('generic', generic_plans, 'custom', custom_plans) as plans
        from pg_prepared_statements where position('${mark}' in statement) > 0`),
    );
    return rows.map(({ plans }) => plans);
  };

  it('keeps what comes a third time parsed, and answers as before, its failures too', async () => {
    const text = (value: number) => sql`select 10 / ${value}::int as kept_one`;
    for (const value of [1, 2, 5])
      expect(await database.query('divide', text(value))).toEqual([{ kept_one: 10 / value }]);
    expect(await kept('kept_one')).toHaveLength(1);
    await expect(database.query('divide', text(0))).rejects.toMatchObject({
      message: expect.stringContaining('divide'),
    });
    expect(await database.query('divide', text(10))).toEqual([{ kept_one: 1 }]);
    expect(await kept('kept_one')).toHaveLength(1);
  });

  it('plans a reading once for all values', async () => {
    for (const value of [1, 2, 3, 4])
      await database.read('read', { enable_sort: 'off' }, sql`select ${value}::int as kept_two`);
    expect(await kept('kept_two')).toEqual([{ generic: 2, custom: 0 }]);
  });

  it('forgets all of them with the connection when there is no more room, and goes on', async () => {
    const one = (column: string) => sql`select ${1}::int as ${sql.raw(column)}`;
    for (let index = 0; index < 160; index += 1) {
      for (const _ of [1, 2, 3])
        expect(await database.query('many', one(`many_${index}`))).toEqual([{ [`many_${index}`]: 1 }]);
    }
    expect((await kept('many_')).length).toBeLessThan(100);
    expect(await database.query('many', one('many_0'))).toEqual([{ many_0: 1 }]);
  });
});
