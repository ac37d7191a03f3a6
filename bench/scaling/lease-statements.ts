import pg from 'pg';
import { openDatabase } from '../../adapters/postgres/open-database.ts';
import { postgresRunStore } from '../../adapters/postgres/run-store.ts';
import { lostTooOften } from '../../core/runs/run-error.ts';
import { quantile } from '../streams/vendor-process.ts';

const instances = 1_000;
const leaseMs = 3_600_000;
/** Before the measured ones: they prepare the statement. */
const warmUps = 3;
const repetitions = 16;
const mostAtOnce = 32;

export interface StatementTimes {
  readonly heartbeatMs: number;
  /** A look that finds nothing, and one that takes 32 runs of a dead instance. */
  readonly lookMs: number;
  readonly takeMs: number;
}

/** How long the statements of leases last (median) while so many runs are under way on 1,000 instances. */
export async function leaseStatements(databaseUrl: string, runs: number): Promise<StatementTimes> {
  const database = await openDatabase({ dataDir: '/nowhere/never/touched', databaseUrl });
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    await client.query('truncate runs, instances');
    await client.query(
      `insert into instances (id, alone, lease_until)
        select 'instance-' || n, false, clock_timestamp() + interval '1 hour' from generate_series(1, ${instances}) n`,
    );
    await client.query(
      `insert into runs (tenant, run_id, kind, status, attempt, instance, input_hash, input, metadata, detail, usage)
        select 'default', gen_random_uuid(), 'CHAT', 'RUNNING', 1, 'instance-' || 1 + n % ${instances}, repeat('0', 64),
          json_build_object('message', repeat('a question ', 20)), '{}', '{}',
          '{"inputTokens":0,"cachedInputTokens":0,"outputTokens":0,"calls":0,"costUsd":null,"estimated":false}'
        from generate_series(1, ${runs}) n`,
    );
    await client.query('vacuum analyze runs, instances');
    const store = postgresRunStore(database);
    const look = () =>
      store.takeOver('instance-1', { abandoned: 'expired', limit: mostAtOnce, maxLosses: 3, error: lostTooOften(3) });
    const heartbeatMs = await median(() => store.heartbeat({ instance: 'instance-1', leaseMs }));
    const lookMs = await median(look);
    // Enough of them that each look finds as many as it may take.
    const dead = Math.ceil(((warmUps + repetitions) * mostAtOnce * instances) / runs);
    await client.query(
      `update instances set lease_until = '-infinity'
        where id in (select 'instance-' || n from generate_series(2, ${dead + 1}) n)`,
    );
    return { heartbeatMs, lookMs, takeMs: await median(look) };
  } finally {
    await client.query('truncate runs, instances');
    await client.end();
    await database.close();
  }
}

async function median(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let repetition = -warmUps; repetition < repetitions; repetition += 1) {
    const begun = performance.now();
    await work();
    if (repetition >= 0) times.push(performance.now() - begun);
  }
  return quantile(times, 0.5);
}
