import { readdir, readFile } from 'node:fs/promises';
import type { Redis } from 'ioredis';
import type pg from 'pg';

/** What the parts have spent since they began; differences of two readings are what something cost. */
export interface Spent {
  readonly gatewayCpuMs: number;
  readonly followerCpuMs: number;
  readonly postgresCpuMs: number;
  readonly writingCommits: number;
  readonly walBytes: number;
  readonly redisCpuMs: number;
  readonly redisBytesIn: number;
  readonly redisBytesOut: number;
}

/** CPU time, unlike the time that passes, hardly depends on what else the machine does. */
export async function spent(of: {
  readonly gateway: number;
  readonly follower: number;
  readonly postgres: number;
  readonly database: pg.Client;
  readonly redis: Redis;
}): Promise<Spent> {
  const { rows } = await of.database.query<{ writes: string; wal: string }>(
    // Numbers are given to transactions that write. The statistics of PostgreSQL itself come up to a minute late.
    `select pg_snapshot_xmax(pg_current_snapshot()) as writes, pg_current_wal_lsn() - '0/0'::pg_lsn as wal`,
  );
  const info = await of.redis.info();
  const redis = (name: string): number => Number(new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1]);
  return {
    gatewayCpuMs: await cpuMsOf(of.gateway),
    followerCpuMs: await cpuMsOf(of.follower),
    postgresCpuMs: await cpuMsOf(of.postgres),
    writingCommits: Number(rows[0]?.writes),
    walBytes: Number(rows[0]?.wal),
    redisCpuMs: 1_000 * (redis('used_cpu_user') + redis('used_cpu_sys')),
    redisBytesIn: redis('total_net_input_bytes'),
    redisBytesOut: redis('total_net_output_bytes'),
  };
}

/** Of a process and its children, those that have ended too. */
async function cpuMsOf(pid: number): Promise<number> {
  const stats = await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(statOf));
  const own = stats.filter((stat) => stat !== null && (stat.pid === pid || stat.parent === pid));
  // A child counts itself; a parent counts its children once they have ended.
  return own.reduce((sum, stat) => sum + (stat?.cpuMs ?? 0), 0);
}

/** Linux counts in hundredths of a second. */
const tickMs = 10;

async function statOf(pid: string): Promise<{ pid: number; parent: number; cpuMs: number } | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (text === null) return null;
  // The name of the program, in brackets, may hold anything.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [parent = 0, user = 0, system = 0, endedUser = 0, endedSystem = 0] = [1, 11, 12, 13, 14].map(
    (at) => fields[at],
  );
  return { pid: Number(pid), parent, cpuMs: (user + system + endedUser + endedSystem) * tickMs };
}
