import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startGatewayProcess } from '../../test/helpers/gateway-process.ts';
import { startPostgresServer } from '../../test/helpers/postgres-server.ts';
import { startRedis } from '../../test/helpers/redis-server.ts';
import { startVendor } from '../../test/helpers/vendor/vendor.ts';
import { type Chats, chats, lengthWanted } from './chats.ts';
import { leaseStatements } from './lease-statements.ts';
import { redisLimit } from './redis-limit.ts';
import { type Spent, spent } from './spent.ts';

/**
 * What a chat and its tokens cost each part, in processor time and bytes: two gateways on a PostgreSQL and a Redis of their own; the
 * vendor and the clients are in this process. What a chat costs is told from what an event costs by replies of two lengths.
 * Exits with 1 when a look for runs of the dead gets slow with the number of runs that are well.
 */
const streams = 300;
const tokensPerSecond = 5;
const short = 20;
const long = 60;
/** A look must not read the runs that others execute: that would grow with them. */
const slowestLookRatio = 20;

interface Cost extends Spent {
  readonly events: number;
}

console.log(
  `${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown processor'}, load ${loadavg()[0]?.toFixed(1)}, Node ${process.version}\n`,
);
const directory = await mkdtemp(join(tmpdir(), 'sluice-costs-'));
try {
  await using postgres = await startPostgresServer();
  await printLeaseStatements(postgres.url);
  await printRedisLimit();
  await using redis = await startRedis();
  await using vendor = await startVendor({
    defaults: { tokensPerSecond, reply: ({ messages }) => words(lengthWanted(String(messages.at(-1)?.content))) },
    countTokens: (text) => Math.ceil(text.length / 4),
    keepCalls: 10,
  });
  const environment = {
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    OPENAI_BASE_URL: vendor.url,
    OPENAI_API_KEY: 'sk-bench-0123456789',
    SLUICE_SEED_DOCS: 'false',
  };
  await using gateway = await startGatewayProcess({ dataDir: directory, environment });
  await using follower = await startGatewayProcess({ dataDir: directory, environment });
  const database = new pg.Client(postgres.url);
  await database.connect();
  const parts = {
    gateway: gateway.pid,
    follower: follower.pid,
    postgres: postgres.pid(),
    database,
    redis: redis.client,
  };
  const measure = async (options: Chats): Promise<Cost> => {
    const before = await spent(parts);
    const events = await chats(options);
    // Usage is written in batches.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    return { ...difference(await spent(parts), before), events };
  };
  try {
    const { nowMb: idleMb } = await gateway.memory();
    const beside = { gateway, streams, store: true };
    for (const to of [gateway, follower]) await measure({ ...beside, follower: to, tokens: short });
    print('stored, followed where it is executed', [
      await measure({ ...beside, follower: gateway, tokens: short }),
      await measure({ ...beside, follower: gateway, tokens: long }),
    ]);
    print('stored, followed at the other gateway', [
      await measure({ ...beside, follower, tokens: short }),
      await measure({ ...beside, follower, tokens: long }),
    ]);
    print('store: false, followed where it is executed', [
      await measure({ ...beside, follower: gateway, tokens: short, store: false }),
      await measure({ ...beside, follower: gateway, tokens: long, store: false }),
    ]);
    const { nowMb, peakMb } = await gateway.memory();
    console.log(
      `\nmemory of the executing gateway: ${idleMb.toFixed(0)} MB before, ${nowMb.toFixed(0)} MB at the end, ${peakMb.toFixed(0)} MB at the most`,
    );
  } finally {
    await database.end();
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function printLeaseStatements(url: string): Promise<void> {
  console.log('Statements of leases, 1,000 instances, median ms from a client:\n');
  console.log('| runs under way | heartbeat | look, nothing there | look that takes 32 runs |');
  console.log('|---|---|---|---|');
  const looksMs: number[] = [];
  for (const runs of [1_000, 100_000, 1_000_000]) {
    const { heartbeatMs, lookMs, takeMs } = await leaseStatements(url, runs);
    looksMs.push(lookMs);
    console.log(`| ${[runs, ...[heartbeatMs, lookMs, takeMs].map((ms) => ms.toFixed(2))].join(' | ')} |`);
  }
  if (Math.max(...looksMs) > slowestLookRatio * Math.min(...looksMs)) {
    console.error('\nFAILED: expected a look to cost the same however many runs are under way.');
    process.exitCode = 1;
  }
}

async function printRedisLimit(): Promise<void> {
  const { appendsPerSecond, cpuUs, bytesKept } = await redisLimit(256);
  console.log(
    `\nRedis when it has nothing to wait for: ${cpuUs.toFixed(0)} µs of CPU an append (${appendsPerSecond.toFixed(0)} a second from one process), ${bytesKept.toFixed(0)} bytes kept`,
  );
}

function print(what: string, [few, many]: readonly [Cost, Cost]): void {
  const perEvent = (of: keyof Cost): number => (many[of] - few[of]) / (many.events - few.events);
  const perChat = (of: keyof Cost): number => (few[of] - perEvent(of) * few.events) / streams;
  const row = (name: string, of: keyof Cost, factor: number, digits: number): string =>
    `| ${name} | ${(perChat(of) * factor).toFixed(digits)} | ${(perEvent(of) * factor).toFixed(digits)} |`;
  console.log(`\n${what}: ${streams} chats at once, ${tokensPerSecond} tokens a second, each of them an event\n`);
  console.log('| | a chat | and an event |');
  console.log('|---|---|---|');
  console.log(row('executing gateway, µs of CPU', 'gatewayCpuMs', 1_000, 0));
  console.log(row('other gateway, µs of CPU', 'followerCpuMs', 1_000, 0));
  console.log(row('Redis, µs of CPU', 'redisCpuMs', 1_000, 0));
  console.log(row('Redis, bytes in', 'redisBytesIn', 1, 0));
  console.log(row('Redis, bytes out', 'redisBytesOut', 1, 0));
  console.log(row('PostgreSQL, µs of CPU', 'postgresCpuMs', 1_000, 0));
  console.log(row('PostgreSQL, commits that write', 'writingCommits', 1, 2));
  console.log(row('PostgreSQL, bytes of WAL', 'walBytes', 1, 0));
}

function difference(after: Spent, before: Spent): Spent {
  const names = Object.keys(after) as (keyof Spent)[];
  return Object.fromEntries(names.map((name) => [name, after[name] - before[name]])) as unknown as Spent;
}

function words(count: number): string {
  return Array.from({ length: count }, (_, index) => `word${index}`).join(' ');
}
