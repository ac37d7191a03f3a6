import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readdir, stat, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../adapters/postgres/database.ts';
import { maintainOnce } from '../../../adapters/postgres/embedded-maintenance.ts';
import { openDatabase } from '../../../adapters/postgres/open-database.ts';
import { openEmbeddedDatabase, temporaryDataDirectory, temporaryDirectory } from '../../helpers/embedded-database.ts';

const holder = new URL('../../helpers/hold-database.ts', import.meta.url).pathname;

describe('the embedded database', () => {
  const resources = new AsyncDisposableStack();
  let database: Database;
  let dataDir: string;
  beforeAll(async () => {
    dataDir = resources.use(await temporaryDataDirectory()).path;
    database = await openDatabase({ dataDir });
    resources.defer(() => database.close());
  });
  afterAll(() => resources.disposeAsync());

  it('is told to write to disk at every commit', async () => {
    const names = ['fsync', 'synchronous_commit', 'wal_sync_method', 'full_page_writes'];
    const settings = await database.query<{ name: string; setting: string }>(
      'settings',
      sql`select name, setting from pg_settings where name = any(${sql.param(names)}) order by name`,
    );
    expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
      fsync: 'on',
      full_page_writes: 'on',
      synchronous_commit: 'on',
      wal_sync_method: 'fsync',
    });
  });

  it('keeps what was committed over a clean restart', async () => {
    await using directory = await temporaryDataDirectory();
    const first = await openDatabase({ dataDir: directory.path });
    await first.query('make', sql`create table kept as select 42 as value`);
    await first.close();
    const second = await openDatabase({ dataDir: directory.path });
    expect(await second.query('read', sql`select value from kept`)).toEqual([{ value: 42 }]);
    await second.close();
    await second.close();
  });

  it('takes memory for what there is to read: after a restart for what has come in as well, and 32 MB at the most', async () => {
    await using directory = await temporaryDataDirectory();
    const buffers = async (fill: ReturnType<typeof sql> | null) => {
      const database = await openDatabase({ dataDir: directory.path });
      const [row] = await database.query<{ mb: number }>(
        'buffers',
        sql`select pg_size_bytes(current_setting('shared_buffers')) / 1048576 as mb`,
      );
      if (fill !== null) await database.query('fill', fill);
      await database.close();
      return Number(row?.mb);
    };
    const text = sql`string_agg(md5(random()::text), '')`;
    const small = await buffers(sql`create table big as select 1 as n, ${text} from generate_series(1, 320000)`);
    expect(small).toBeGreaterThanOrEqual(8);
    expect(small).toBeLessThan(12);
    const grown = await buffers(
      sql`insert into big select 2, ${text} from generate_series(1, 4) as part, generate_series(1, 320000) group by part`,
    );
    expect(grown).toBeGreaterThan(small + 4);
    expect(grown).toBeLessThan(32);
    expect(await buffers(null)).toBe(32);
  });

  it('leaves no socket behind, and lets only its user see it', async () => {
    const sockets = async () => (await readdir(tmpdir())).filter((name) => /^sluice-[A-Za-z0-9]{6}$/.test(name));
    const before = new Set(await sockets());
    const database = await openEmbeddedDatabase();
    const opened = (await sockets()).filter((name) => !before.has(name));
    expect(opened.length).toBeGreaterThan(0);
    for (const name of opened) expect((await stat(join(tmpdir(), name))).mode & 0o777).toBe(0o700);
    await database[Symbol.asyncDispose]();
    const after = new Set(await sockets());
    expect(opened.some((name) => !after.has(name))).toBe(true);
  });

  it('is refused to the process that has it open already', async () => {
    await expect(openDatabase({ dataDir })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining(`process ${process.pid} `),
    });
    expect(database.health().ok).toBe(true);
  });

  it('keeps statistics and the space of deleted rows in order by itself', async () => {
    await database.query('make', sql`create table busy as select generate_series(1, 2000) as value`);
    await database.query('delete', sql`delete from busy where value > 500`);
    // Counters of the server are written at most once a second.
    await expect
      .poll(
        async () => {
          await maintainOnce(database);
          const [row] = await database.query<{ tuples: number }>(
            'tuples',
            sql`select reltuples::int as tuples from pg_class where relname = 'busy'`,
          );
          return row?.tuples;
        },
        { timeout: 20_000 },
      )
      .toBe(500);
  });
});

describe('a data directory', () => {
  it('that another process has open is refused, and its owner named; once that one was killed, one of those who ask has it, whole', async () => {
    await using directory = await temporaryDataDirectory();
    const child = await hold(directory.path);
    try {
      const message = new RegExp(`${directory.path} is in use by process ${child.pid} on ${hostname()} since \\d{4}-`);
      await expect(openDatabase({ dataDir: directory.path })).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringMatching(message),
      });
    } finally {
      await kill(child);
    }
    const attempts = await Promise.allSettled([1, 2].map(() => openDatabase({ dataDir: directory.path })));
    const opened = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? attempt.value : []));
    expect(opened).toHaveLength(1);
    for (const database of opened) {
      expect(await database.query('read', sql`select count(*)::int as rounds from held`)).toEqual([{ rounds: 1 }]);
      await database.close();
    }
  });

  it('that cannot be one is refused with its path', async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'file');
    await writeFile(file, '');
    await expect(openDatabase({ dataDir: join(file, 'data') })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining(`${file}/data`),
    });
  });

  it.skipIf(process.getuid?.() === 0)('that cannot be written is refused with its path', async () => {
    await using directory = await temporaryDirectory();
    await chmod(directory.path, 0o500);
    await expect(openDatabase({ dataDir: directory.path })).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await chmod(directory.path, 0o700);
  });

  it('whose creation was cut short is created again', async () => {
    await using directory = await temporaryDirectory();
    const child = spawn(process.execPath, [holder, directory.path]);
    await expect
      .poll(() => readdir(directory.path), { interval: 20, timeout: 20_000 })
      .toContainEqual(expect.stringMatching(/^postgres\.new-/));
    await kill(child);
    const database = await openDatabase({ dataDir: directory.path });
    expect(await database.query('read', sql`select 1 as one`)).toEqual([{ one: 1 }]);
    await database.close();
    // Creating one is the most work that a start has: a busy machine takes a minute for it.
  }, 180_000);
});

describe('a database thread that breaks', () => {
  it('fails what waits for it, and shows in health', async () => {
    await using directory = await temporaryDataDirectory();
    const child = spawn(process.execPath, [holder, directory.path, 'break']);
    child.stdout.setEncoding('utf8');
    let said = '';
    child.stdout.on('data', (text: string) => {
      said += text;
    });
    await once(child, 'close');
    expect(JSON.parse(said)).toEqual({
      outcomes: ['INTERNAL', 'INTERNAL', 'INTERNAL'],
      health: { ok: false, detail: expect.stringContaining('the embedded database stopped') },
    });
  });
});

/** A process of its own that has the directory open, and has committed a row. */
async function hold(path: string) {
  const child = spawn(process.execPath, [holder, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

async function kill(child: ReturnType<typeof spawn>): Promise<void> {
  const gone = once(child, 'close');
  child.kill('SIGKILL');
  await gone;
}
