import { randomUUID } from 'node:crypto';
import { availableParallelism, cpus } from 'node:os';
import { WebSocket } from 'ws';
import { resume } from '../../examples/resume.ts';
import { all, chatOperation, openStream } from '../../test/e2e/runs/streams.ts';
import { configFile } from '../../test/helpers/config-file.ts';
import { temporaryDirectory } from '../../test/helpers/embedded-database.ts';
import { startGateway, type TestGateway } from '../../test/helpers/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../../test/helpers/gateway-process.ts';
import { startPostgresServer } from '../../test/helpers/postgres-server.ts';
import { startRedis } from '../../test/helpers/redis-server.ts';
import { bareStream } from '../streams/bare-stream.ts';
import { startVendorProcess } from '../streams/vendor-process.ts';
import { startChild } from './child.ts';
import { cpuMs } from './process-cpu.ts';

/**
 * What durability costs: tokens a second and CPU per token of stored chats over the log in memory and over the log in Redis,
 * beside a relay that only passes streams on; the statements of a chat run; and one run followed by a thousand subscribers at
 * an instance that does not execute it, beside a bare broadcast. Needs PostgreSQL with pgvector and redis-server.
 */
const streams = 100;
const tokens = 300;
const tokensPerSecond = 60;
const followers = 1_000;
const openai = { OPENAI_API_KEY: 'sk-bench-0123456789', SLUICE_SEED_DOCS: 'false' };

console.log(
  `${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown processor'}, Node ${process.version}; vendor, gateway and client in a process each\n`,
);
await using postgres = await startPostgresServer();
await using redis = await startRedis();
await using directory = await temporaryDirectory();
await using config = await configFile({
  limits: { maxRuns: 2_000, maxSockets: 5_000 },
  openai: { maxConcurrent: 2_000 },
});
const servers = { DATABASE_URL: postgres.url, REDIS_URL: redis.url };

await throughput();
await statements();
await fanOut();

async function throughput(): Promise<void> {
  await using vendor = await startVendorProcess({ tokens, tokensPerSecond });
  console.log(`${streams} streams of ${tokens} tokens at ${tokensPerSecond} a second each`);
  await using relay = await startChild('./relay.ts', vendor.url);
  const floor = await measured('raw relay (the floor)', relay.pid, () =>
    bareStream(relay.url).then(({ whole }) => whole),
  );
  for (const [name, environment] of [
    ['gateway, log in memory', {}],
    ['gateway, log in Redis', servers],
  ] as const) {
    await using gateway = await startGatewayProcess({
      dataDir: `${directory.path}/${name.replaceAll(' ', '-')}`,
      environment: { ...config.environment, ...openai, OPENAI_BASE_URL: vendor.url, ...environment },
    });
    const webSocketUrl = gateway.url.replace(/^http/, 'ws');
    const chat = async () => {
      const input = { runId: randomUUID(), message: `Question ${randomUUID()}` };
      const events = await all(openStream({ webSocketUrl }, chatOperation, { input }));
      return events.at(-1)?.__typename === 'RunFinished';
    };
    await Promise.all(Array.from({ length: 20 }, chat));
    const cpu = await measured(name, gateway.pid, chat);
    console.log(`${' '.repeat(26)}${(cpu / floor).toFixed(1)}× the CPU of the relay`);
  }
  console.log();
}

/** Microseconds of the process's CPU per token. */
async function measured(name: string, pid: number, stream: () => Promise<boolean>): Promise<number> {
  const before = await cpuMs(pid);
  const begun = performance.now();
  const whole = (await Promise.all(Array.from({ length: streams }, stream))).filter(Boolean).length;
  const seconds = (performance.now() - begun) / 1_000;
  const perToken = (((await cpuMs(pid)) - before) * 1_000) / (streams * tokens);
  if (whole < streams) process.exitCode = 1;
  console.log(
    `${name.padEnd(26)}${whole} whole, ${((streams * tokens) / seconds).toFixed(0)} tokens/s, ${perToken.toFixed(1)} µs of CPU per token`,
  );
  return perToken;
}

async function statements(): Promise<void> {
  await using vendor = await startVendorProcess({ tokens: 20, tokensPerSecond: 0 });
  await using gateway = await startGateway({ environment: { ...openai, ...servers, OPENAI_BASE_URL: vendor.url } });
  const first = await costOf(gateway, {});
  const next = await costOf(gateway, { conversationId: first.conversationId });
  for (const [name, { ran }] of [
    ['a new conversation', first],
    ['the next turn', next],
  ] as const) {
    const count = ran.reduce((sum, [, times]) => sum + times, 0);
    console.log(
      `statements of a chat run, ${name}: ${count} (${ran.map(([statement]) => statement).join(', ')}), begin and commit`,
    );
  }
  console.log();
}

async function costOf(gateway: TestGateway, more: object) {
  const before = new Map(gateway.statements);
  const input = { runId: randomUUID(), message: 'How many statements?', ...more };
  await all(openStream(gateway, chatOperation, { input }));
  const onTheirOwn = /^(?:add-usage|instance-heartbeat|runs-take-over|purge.*)$/;
  const ran = [...gateway.statements]
    .map(([name, times]) => [name, times - (before.get(name) ?? 0)] as const)
    .filter(([name, times]) => times > 0 && !onTheirOwn.test(name));
  const query =
    'query BenchConversation($runId: UUID!) { run(runId: $runId) { ... on ChatRun { conversation { id } } } }';
  const { run } = await gateway.data<{ run: { conversation: { id: string } } }, unknown>(query, input);
  return { ran, conversationId: run.conversation.id };
}

async function fanOut(): Promise<void> {
  await using vendor = await startVendorProcess({ tokens: 600, tokensPerSecond: 20 });
  const start = (name: string): Promise<GatewayProcess> =>
    startGatewayProcess({
      dataDir: `${directory.path}/${name}`,
      environment: { ...config.environment, ...openai, ...servers, OPENAI_BASE_URL: vendor.url },
    });
  await using a = await start('a');
  await using b = await start('b');
  const runId = randomUUID();
  const mutation = 'mutation BenchStart($input: StartChatInput!) { startChat(input: $input) { run { runId } } }';
  await a.data(mutation, { input: { runId, message: 'Tell everybody.' } });
  const query = `subscription BenchFollow($runId: UUID!, $after: String) {
    event: runEvents(runId: $runId, after: $after) { __typename cursor ... on TextMessageDelta { delta } }
  }`;
  const url = b.url.replace(/^http/, 'ws');
  let arrived = 0;
  const reads = async () => Number(/cmdstat_xread:calls=(\d+)/.exec(await redis.client.info('commandstats'))?.[1] ?? 0);
  const appends = async () =>
    Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.client.info('commandstats'))?.[1] ?? 0);
  const [readsBefore, appendsBefore] = [await reads(), await appends()];
  const before = await cpuMs(b.pid);
  const ended = await Promise.all(
    Array.from({ length: followers }, async () => {
      for await (const { __typename } of resume(() => [url], query, { runId }, { silenceMs: 60_000 })) {
        arrived += 1;
        if (__typename === 'RunFinished') return true;
      }
      return false;
    }),
  );
  const cpu = (((await cpuMs(b.pid)) - before) * 1_000) / arrived;
  const events = Math.round(arrived / followers);
  const floor = await broadcast(events);
  console.log(
    `one run followed by ${followers} at an instance that does not execute it: ${ended.filter(Boolean).length} saw its end`,
  );
  console.log(
    `${(await reads()) - readsBefore} blocking reads and ${(await appends()) - appendsBefore} scripts in Redis for ${events} events`,
  );
  console.log(
    `${cpu.toFixed(1)} µs of CPU per delivered event; bare ws broadcast ${floor.toFixed(1)} µs (${(cpu / floor).toFixed(1)}×)`,
  );
}

async function broadcast(messages: number): Promise<number> {
  await using server = await startChild('./broadcast.ts', followers, messages, 20, 150);
  const before = await cpuMs(server.pid);
  let arrived = 0;
  await Promise.all(
    Array.from(
      { length: followers },
      () =>
        new Promise<void>((resolve, reject) => {
          const socket = new WebSocket(server.url);
          socket.on('message', () => {
            arrived += 1;
          });
          socket.on('close', () => resolve());
          socket.on('error', reject);
        }),
    ),
  );
  return (((await cpuMs(server.pid)) - before) * 1_000) / arrived;
}
