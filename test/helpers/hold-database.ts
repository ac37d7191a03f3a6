import type { Worker } from 'node:worker_threads';
import { sql } from 'drizzle-orm';
import { openDatabase } from '../../adapters/postgres/open-database.ts';

/*
 * A process that opens the database in the directory of its first argument, commits a row, says so, and stays until it is
 * killed. With `break` it ends its own database thread under load instead, and prints what its callers were told.
 */
const [, , path = '', mode] = process.argv;

const threads: Worker[] = [];
if (mode === 'break') {
  // The adapter does not hand its thread out; this is how the test gets hold of it.
  process.on('worker', (worker) => threads.push(worker));
}

const database = await openDatabase({ dataDir: path });
await database.query('hold', sql`create table if not exists held (at timestamptz)`);
await database.query('hold', sql`insert into held values (now())`);

if (mode === 'break') {
  const broken = [1, 2].map(() => database.query('long', sql`select count(*) from generate_series(1, 100000000)`));
  const settled = Promise.allSettled(broken);
  await threads[0]?.terminate();
  const outcomes = [...(await settled), ...(await Promise.allSettled([database.query('after', sql`select 1`)]))];
  const codes = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'answered'));
  process.stdout.write(JSON.stringify({ outcomes: codes, health: database.health() }));
  await database.close();
} else {
  process.stdout.write('held\n');
  setInterval(() => {}, 60_000);
}
