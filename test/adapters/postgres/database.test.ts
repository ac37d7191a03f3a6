import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../../adapters/postgres/database.ts';
import { openTestDatabase } from '../../helpers/test-database.ts';

let database: Database & AsyncDisposable;
beforeAll(async () => {
  database = await openTestDatabase({ maxConnections: 1 });
  await database.query('make', sql`create table numbers (value int primary key)`);
});
beforeEach(() => database.query('empty', sql`truncate numbers`));
afterAll(() => database[Symbol.asyncDispose]());

const insert = (value: number) => sql`insert into numbers values (${value})`;
const count = async () => {
  const [row] = await database.query<{ count: number }>('count', sql`select count(*)::int as count from numbers`);
  return row?.count;
};
/** Some tenths of a second of work for the one connection; nothing can interrupt it. */
const slow = sql`select count(*) from generate_series(1, 800000)`;

describe('a transaction', () => {
  it('is there as a whole when its work resolves', async () => {
    const result = await database.transaction('both', async (transaction) => {
      await transaction.query('insert', insert(1));
      await transaction.query('insert', insert(2));
      return 'done';
    });
    expect(result).toBe('done');
    expect(await count()).toBe(2);
  });

  it('leaves nothing behind when its work rejects', async () => {
    const work = database.transaction('half', async (transaction) => {
      await transaction.query('insert', insert(1));
      throw new Error('changed my mind');
    });
    await expect(work).rejects.toThrow(/^changed my mind$/);
    expect(await count()).toBe(0);
  });

  it('does not pass for committed when a failed statement in it was ignored', async () => {
    const work = database.transaction('ignored', async (transaction) => {
      await transaction.query('insert', insert(1));
      await transaction.query('insert', insert(1)).catch(() => {});
    });
    await expect(work).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await count()).toBe(0);
  });

  it('refuses its own database at once instead of waiting for itself for ever', async () => {
    const work = database.transaction('outer', async () => {
      await database.query('inner', sql`select 1`);
    });
    await expect(work).rejects.toThrow(/inner would wait for the transaction outer/);
    const nested = database.transaction('outer', () => database.transaction('nested', async () => {}));
    await expect(nested).rejects.toThrow(/nested would wait for the transaction outer/);
  });

  it('refuses its own database also further down, and lets go of it at its end', async () => {
    let later = async (): Promise<unknown> => null;
    await database.transaction('outer', async () => {
      const inherited = nextTurn().then(() => database.query('deep', sql`select 1`));
      await expect(inherited).rejects.toThrow(/deep would wait for the transaction outer/);
      const { promise, resolve } = Promise.withResolvers<void>();
      const after = promise.then(() => database.query('after', sql`select 1 as one`));
      later = () => {
        resolve();
        return after;
      };
    });
    expect(await later()).toEqual([{ one: 1 }]);
  });

  it('takes no statement after its end', async () => {
    let leaked: Promise<unknown> = Promise.resolve();
    const release = Promise.withResolvers<void>();
    await database.transaction('short', async (transaction) => {
      leaked = release.promise.then(() => transaction.query('late', insert(1)));
    });
    release.resolve();
    await expect(leaked).rejects.toThrow(/late came after the end of short/);
    expect(await count()).toBe(0);
  });

  it('runs statements that were started together one after the other', async () => {
    await database.transaction('together', async (transaction) => {
      await Promise.all([1, 2, 3].map((value) => transaction.query('insert', insert(value))));
    });
    expect(await count()).toBe(3);
  });
});

describe('a reading with settings', () => {
  const setting = (name: string) => sql`select current_setting(${name}) as value`;
  const read = (name: string) => database.read<{ value: string }>('setting', { enable_sort: 'off' }, setting(name));

  it('has them for itself alone', async () => {
    expect(await read('enable_sort')).toEqual([{ value: 'off' }]);
    expect(await database.query('setting', setting('enable_sort'))).toEqual([{ value: 'on' }]);
  });

  it('gives the connection back when it fails, and nothing of it is left', async () => {
    await expect(read('no such setting')).rejects.toMatchObject({ code: 'INTERNAL' });
    const wrong = database.read('setting', { 'no.such.setting; x': 1 }, sql`select 1`);
    await expect(wrong).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await database.query('setting', setting('enable_sort'))).toEqual([{ value: 'on' }]);
    expect(await count()).toBe(0);
  });

  it('tells of a row while the next is still being made', async () => {
    const order: string[] = [];
    const rows = sql`select row, repeat('x', 100000) as text,
      case when row = 3 then (select count(*) from generate_series(1, 1000000) number where number <> row) end as slow
      from generate_series(1, 3) row`;
    await database.read<{ row: number }>('rows', {}, rows, undefined, ({ row }) => {
      order.push(`row ${row}`);
      setImmediate(() => order.push('another turn'));
    });
    // The second takes the end of the first with it out of PostgreSQL's own buffer.
    expect(order.indexOf('another turn')).toBeLessThan(order.indexOf('row 3'));
    expect(order.indexOf('row 1')).toBe(0);
  });

  it('ends before the next takes the connection, though nobody waits for that', async () => {
    const [first, second] = await Promise.all([
      read('enable_sort'),
      database.query(
        'inside',
        sql`select pg_current_xact_id_if_assigned() is null and now() = statement_timestamp() as none`,
      ),
    ]);
    expect([first, second]).toEqual([[{ value: 'off' }], [{ none: true }]]);
  });
});

describe('an aborted signal', () => {
  it('drops a statement that still waits for the connection', async () => {
    const controller = new AbortController();
    const first = database.query('slow', slow);
    const queued = database.query('queued', insert(7), controller.signal);
    controller.abort(new Error('client gone'));
    await expect(queued).rejects.toMatchObject({ code: 'CANCELLED', cause: { message: 'client gone' } });
    await first;
    expect(await count()).toBe(0);
    expect(database.statements.get('queued')).toBeUndefined();
  });

  it('lets the caller of a running statement go at once and keeps the connection until it has ended', async () => {
    const controller = new AbortController();
    let ended = false;
    const running = database.query('slow', slow, controller.signal);
    const next = database.query<{ one: number }>('next', sql`select 1 as one`).then((rows) => {
      ended = true;
      return rows;
    });
    await nextTurn();
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(ended).toBe(false);
    // The answer of the abandoned statement must not be taken for this one's.
    expect(await next).toEqual([{ one: 1 }]);
  });

  it('rolls a transaction back, also when it is only noticed at the end', async () => {
    const controller = new AbortController();
    const work = database.transaction(
      'cut',
      async (transaction) => {
        await transaction.query('insert', insert(1));
        controller.abort();
      },
      controller.signal,
    );
    await expect(work).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await count()).toBe(0);
  });

  it('runs nothing when it came before', async () => {
    await expect(database.query('never', insert(1), AbortSignal.abort())).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await count()).toBe(0);
  });
});

describe('an error', () => {
  it('names the statement and hides what PostgreSQL said in its cause', async () => {
    await expect(database.query('divide', sql`select 1 / ${0}::int`)).rejects.toMatchObject({
      code: 'INTERNAL',
      message: 'database statement divide failed with SQLSTATE 22012',
      retryable: false,
      cause: { message: 'division by zero' },
    });
    expect(database.health()).toEqual({ ok: true, detail: null });
  });

  it('of text that PostgreSQL cannot store is the input’s', async () => {
    await expect(database.query('nul', sql`select ${'a\0b'}::text`)).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(database.query('half', sql`select ${'"\\ud800"'}::jsonb`)).rejects.toMatchObject({
      code: 'BAD_INPUT',
    });
    await expect(database.query('nul', sql`select ${'"\\u0000"'}::jsonb`)).rejects.toMatchObject({ code: 'BAD_INPUT' });
    expect(await count()).toBe(0);
  });
});

it('counts statements by name', async () => {
  const before = database.statements.get('counted') ?? 0;
  await database.query('counted', sql`select 1`);
  await database.transaction('any', (transaction) => transaction.query('counted', sql`select 1`));
  expect(database.statements.get('counted')).toBe(before + 2);
});

it('closes after what was begun, and then says so', async () => {
  const own = await openTestDatabase({ maxConnections: 1 });
  const begun = own.query<{ count: string }>('begun', slow);
  const closing = own.close();
  await expect(own.query('late', sql`select 1`)).rejects.toThrow(/the database is closed/);
  expect(await begun).toHaveLength(1);
  await closing;
  await own[Symbol.asyncDispose]();
});
