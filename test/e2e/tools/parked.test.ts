import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configFile } from '../../helpers/config-file.ts';
import { ingest, startGateway, type TestGateway } from '../../helpers/gateway.ts';
import { hasRedis, startRedis } from '../../helpers/redis-server.ts';
import { temporaryDatabase } from '../../helpers/test-database.ts';
import type { WireChat } from '../../helpers/vendor/behaviour.ts';
import { startVendor, type Vendor } from '../../helpers/vendor/vendor.ts';
import { readRun } from '../agents/agent-run.ts';
import { playTeam, teamAnswer, teamGoal } from '../clients/team-run.ts';

interface Parked {
  readonly status: string;
  readonly pendingApprovals: readonly { readonly id: string }[];
}

const runIds = Array.from({ length: 20 }, () => randomUUID());
const threeDaysMs = 3 * 86_400_000;

/* Runs on PostgreSQL only: see vitest.config.ts. */
describe.skipIf(!hasRedis)('twenty runs that wait for a person', () => {
  const opened = new AsyncDisposableStack();
  let url: string;
  let vendor: Vendor;
  let instance: () => Promise<TestGateway>;
  beforeAll(async () => {
    const redis = opened.use(await startRedis());
    const { environment } = opened.use(await temporaryDatabase());
    url = redis.url;
    const config = opened.use(
      await configFile({
        tools: { settings: { calculate: { requiresApproval: true } } },
        log: { retentionMs: 60_000 },
        runs: { parkedTimeoutMs: threeDaysMs },
      }),
    );
    vendor = opened.use(await startVendor());
    instance = () =>
      startGateway({ vendor, environment: { ...environment, ...config.environment, REDIS_URL: redis.url } });
  });
  afterAll(() => opened.disposeAsync());

  it('survive a restart of both instances, and are resolved at the one that did not start them, once', async () => {
    vendor.when((call) => call.path === '/chat/completions', {
      reply: (request) => (hasResult(request) ? 'It is 42.' : ''),
      toolCalls: (request) =>
        hasResult(request) ? [] : [{ name: 'calculate', arguments: JSON.stringify({ expression: '6 * 7' }) }],
    });
    {
      await using here = await instance();
      await using there = await instance();
      await Promise.all(runIds.map((runId, index) => start(index % 2 === 0 ? here : there, runId)));
      await Promise.all(runIds.map((runId) => expect.poll(() => statusOf(here, runId)).toBe('AWAITING_APPROVAL')));
    }
    const calls = vendor.calls('/chat/completions').length;
    expect(calls).toBe(runIds.length);

    await using here = await instance();
    await using there = await instance();
    await Promise.all(runIds.map((runId, index) => resolve(index % 2 === 0 ? there : here, runId)));
    const texts = await Promise.all(runIds.map((runId) => replyOf(here, runId)));
    expect(new Set(texts)).toEqual(new Set(['SUCCEEDED It is 42.']));
    // What had been asked before the restart was not asked again.
    expect(vendor.calls('/chat/completions').length - calls).toBe(runIds.length);
  });

  it('may be teams, which do no finished step again, and keep their log for as long as they may wait', async () => {
    const stop = playTeam(vendor);
    const teams = Array.from({ length: 4 }, () => randomUUID());
    {
      await using here = await instance();
      await using there = await instance();
      await ingest(here, [{ externalId: 'lamp', title: 'The lamp', text: 'The lamp turns twice a minute.' }]);
      await Promise.all(teams.map((runId, index) => startTeam(index % 2 === 0 ? here : there, runId)));
      await Promise.all(teams.map((runId) => expect.poll(() => statusOf(here, runId)).toBe('AWAITING_APPROVAL')));
      for (const runId of teams) expect(await logKeptForMs(url, runId)).toBeGreaterThan(threeDaysMs);
    }
    const calls = vendor.calls('/chat/completions').length;
    await using here = await instance();
    await using there = await instance();
    await Promise.all(teams.map((runId, index) => resolve(index % 2 === 0 ? there : here, runId)));
    for (const runId of teams) {
      const { status, output, steps } = await readRun(here, runId);
      expect({ status, text: output?.text }).toEqual({ status: 'SUCCEEDED', text: teamAnswer });
      expect(steps.map(({ status: so }) => so)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    }
    // The report of what was approved, and the answer.
    expect(vendor.calls('/chat/completions').length - calls).toBe(2 * teams.length);
    stop();
  });
});

async function startTeam(gateway: TestGateway, runId: string): Promise<void> {
  await gateway.data('mutation Start($input: StartAgentInput!) { startAgent(input: $input) { run { status } } }', {
    input: { ...teamGoal(), runId },
  });
}

/** Of the keys that Redis has for the run, the one that goes first. */
async function logKeptForMs(url: string, runId: string): Promise<number> {
  const redis = new Redis(url);
  try {
    const keys = (await redis.keys(`*${runId}*`)).filter((key) => /:(log|meta):/.test(key));
    expect(keys).toHaveLength(2);
    return Math.min(...(await Promise.all(keys.map((key) => redis.pttl(key)))));
  } finally {
    redis.disconnect();
  }
}

const hasResult = ({ messages }: WireChat): boolean => messages.some(({ role }) => role === 'tool');

async function start(gateway: TestGateway, runId: string): Promise<void> {
  await gateway.data('mutation Start($input: StartChatInput!) { startChat(input: $input) { run { status } } }', {
    input: { runId, message: 'What is six times seven?', tools: ['calculate'] },
  });
}

async function parked(gateway: TestGateway, runId: string): Promise<Parked> {
  const { run } = await gateway.data<{ run: Parked }, object>(
    'query Parked($runId: UUID!) { run(runId: $runId) { status pendingApprovals { id } } }',
    { runId },
  );
  return run;
}

const statusOf = async (gateway: TestGateway, runId: string): Promise<string> => (await parked(gateway, runId)).status;

/** Twice at the same time: one is the answer, the other comes too late. */
async function resolve(gateway: TestGateway, runId: string): Promise<void> {
  const [call] = (await parked(gateway, runId)).pendingApprovals;
  const answer = () =>
    gateway.request(
      'mutation Resolve($input: ResolveApprovalInput!) { resolveApproval(input: $input) { run { status } } }',
      { input: { runId, toolCallId: call?.id, approve: true } },
    );
  const codes = (await Promise.all([answer(), answer()])).map(({ errors }) => errors?.[0]?.extensions.code ?? 'OK');
  expect(codes.sort()).toEqual(['CONFLICT', 'OK']);
}

async function replyOf(gateway: TestGateway, runId: string): Promise<string> {
  type Ended = { run: { finished: { status: string; reply: { text: string } | null } } };
  const { run } = await gateway.data<Ended, object>(
    'query Reply($runId: UUID!) { run(runId: $runId) { finished { status ... on ChatRun { reply { text } } } } }',
    { runId },
  );
  return `${run.finished.status} ${run.finished.reply?.text}`;
}
