import { afterAll, expect, test } from 'vitest';
import { agentExecutor } from '../../../core/agents/agent-executor.ts';
import { createResponseSchemas } from '../../../core/chat/response-schemas.ts';
import type { ChatChunk, ChatRequest } from '../../../core/contracts/model-provider.ts';
import type { AgentStepRecord } from '../../../core/contracts/run-store.ts';
import type { Tool } from '../../../core/contracts/tool.ts';
import type { Executor } from '../../../core/runs/live-run.ts';
import { createToolbox } from '../../../core/tools/toolbox.ts';
import { says, scriptedProvider } from '../../helpers/scripted-provider.ts';
import type { Instance } from '../runs/instances.ts';
import { keyOf, silent } from '../runs/rig.ts';
import { useCluster } from '../runs/use-cluster.ts';
import { aTool } from '../tools/rig.ts';
import { teamRun, teamServices } from './rig.ts';

/* A team whose executor launches something, beside or behind a researcher. */

const cluster = useCluster();
const { statusOf, eventsOf } = cluster;
const schemas = createResponseSchemas();
afterAll(() => schemas.close());

const start = (executor: Executor): Promise<Instance> => cluster.start({ executor, maxAttempts: 10 });
const never = new AbortController().signal;
const approved = { type: 'approved', arguments: null } as const;

/** `look` is a researcher's, `launch` the executor's; the latter depends on `after`. */
const planOf = (...after: string[]): string =>
  JSON.stringify({
    steps: [
      { key: 'look', title: 'Look', task: 'What is look?', role: 'RESEARCHER', dependsOn: [] },
      { key: 'launch', title: 'Launch', task: 'Launch it.', role: 'EXECUTOR', dependsOn: after },
    ],
  });

interface Script {
  readonly plan: string;
  readonly tool: Partial<Tool>;
  /** Before a researcher says anything. */
  readonly looking?: Promise<unknown>;
}

/** Notes each model call by who makes it, and each call of the tool by its idempotency key. */
function team(done: string[], { plan, tool, looking }: Script): Executor {
  const roleOf = ({ messages: [system] }: ChatRequest): string => /^You (\w+)/.exec(system?.text ?? '')?.[1] ?? '';
  const launch = aTool({
    ...{ name: 'launch', parameters: { type: 'object', properties: {} }, ...tool },
    async call(args, io) {
      done.push(`calls launch ${io.idempotencyKey}`);
      return (await tool.call?.(args, io)) ?? { value: 'launched' };
    },
  });
  const toolbox = createToolbox({
    ...{ providers: [{ tools: () => [launch] }], schemas, logger: silent, settings: {}, maxResultChars: 1_000 },
  });
  const provider = scriptedProvider({
    async complete(request) {
      const role = roleOf(request);
      done.push(role);
      if (role === 'research') await looking;
      const verdict = JSON.stringify({ verdict: 'accept', objection: '', further: null });
      const text = role === 'plan' ? plan : role === 'check' ? verdict : 'It looks [1].';
      return { text, finishReason: 'STOP', tokens: { inputTokens: 10, cachedInputTokens: 0, outputTokens: 1 } };
    },
    async *chat(request): AsyncGenerator<ChatChunk> {
      const isActing = request.messages.some(({ text }) => text.includes('Your task: Launch it.'));
      const isCalled = request.messages.some(({ role }) => role === 'TOOL');
      const role = isActing ? `act ${isCalled ? 2 : 1}` : roleOf(request);
      done.push(role);
      if (role === 'research') await looking;
      const tokens = { input: 10, output: 1 };
      if (!isActing || isCalled) return yield* says(isActing ? 'It was launched.' : 'It looks [1].', tokens);
      yield { type: 'tool-call', id: 'call_1', tool: 'launch' };
      yield { type: 'tool-arguments', id: 'call_1', delta: '{}' };
      yield { type: 'usage', tokens: { inputTokens: 10, cachedInputTokens: 0, outputTokens: 1 } };
      yield { type: 'finish', reason: 'TOOL_CALLS' };
    },
  });
  return agentExecutor(teamServices(provider, toolbox));
}

const launches = (done: readonly string[]): string[] => done.filter((line) => line.startsWith('calls launch'));

/** Each step, and each thing that is said of the call, once. */
async function expectToldOnce(runId: string): Promise<void> {
  const told = (await eventsOf(runId)).flatMap((event) => {
    if (event.type === 'StepStarted' || event.type === 'StepFinished') return `${event.type} ${event.step}`;
    if (event.type === 'ApprovalRequested') return `${event.type} ${event.toolCall.result === null}`;
    return event.type.startsWith('ToolCall') ? event.type : [];
  });
  expect(told.length).toBe(new Set(told).size);
  expect(told.filter((line) => line.startsWith('Step'))).toHaveLength(2 * 5);
}

test('a step whose call is answered while another one works goes on in the same attempt', async () => {
  const done: string[] = [];
  const looking = Promise.withResolvers<void>();
  const { runs } = await start(
    team(done, { plan: planOf(), tool: { requiresApproval: true }, looking: looking.promise }),
  );
  await runs.start({ run: teamRun('beside'), stored: true, turn: null });
  await expect.poll(async () => (await eventsOf('beside')).map(({ type }) => type)).toContain('ApprovalRequested');
  expect(await cluster.parked.answer(keyOf('beside'), 'call_1', 1, approved)).toBe('taken');
  runs.answered(keyOf('beside'));
  await expect.poll(() => launches(done)).toHaveLength(1);
  looking.resolve();
  expect(await runs.whenFinished(keyOf('beside'), never)).toMatchObject({ status: 'SUCCEEDED', attempt: 1 });
  expect((await eventsOf('beside')).map(({ type }) => type)).not.toContain('RunParked');
  await expectToldOnce('beside');
});

test('a team waits for a person without an instance, and another one makes only the calls that are left', async () => {
  const done: string[] = [];
  const script: Script = { plan: planOf('look'), tool: { requiresApproval: true } };
  const first = await start(team(done, script));
  await first.runs.start({ run: teamRun('parked'), stored: true, turn: null });
  await expect.poll(() => statusOf('parked')).toBe('AWAITING_APPROVAL');
  await first.runs.drain(0);
  expect(done).toEqual(['plan', 'research', 'check', 'act 1']);
  done.length = 0;

  const second = await start(team(done, script));
  expect(await cluster.parked.answer(keyOf('parked'), 'call_1', 1, approved)).toBe('taken');
  second.runs.hurry();
  const run = await second.runs.whenFinished(keyOf('parked'), never);
  expect(run).toMatchObject({ status: 'SUCCEEDED', attempt: 2 });
  expect(done.map((line) => line.replace(/ [0-9a-f]{32}$/, ''))).toEqual(['calls launch', 'act 2', 'write']);
  await expectToldOnce('parked');
  const { steps } = run.detail as { steps: readonly AgentStepRecord[] };
  // Before it waited and after.
  expect(steps.find(({ key }) => key === 'launch')).toMatchObject({
    ...{ output: 'It was launched.', toolCalls: [{ tool: 'launch', status: 'SUCCEEDED' }] },
  });
  const chats = (key: string) => steps.find((step) => step.key === key)?.usage.outputTokens;
  expect([chats('look'), chats('launch')]).toEqual([1, 2]);
});

test.each([true, false])(
  'a call that changes the world in a team whose instance dies is asked about, not repeated: %s',
  async (approve) => {
    const runId = `unknown-${approve}`;
    const done: string[] = [];
    const inCall = Promise.withResolvers<void>();
    const stuck = Promise.withResolvers<void>();
    const call = async () => {
      inCall.resolve();
      await stuck.promise;
      return { value: 'too late' };
    };
    const first = await start(team(done, { plan: planOf(), tool: { changesWorld: true, call } }));
    await first.runs.start({ run: teamRun(runId), stored: true, turn: null });
    await inCall.promise;
    const second = await start(team(done, { plan: planOf(), tool: { changesWorld: true } }));
    first.sleep();
    await expect.poll(() => statusOf(runId), { timeout: 10_000 }).toBe('AWAITING_APPROVAL');
    expect(launches(done)).toHaveLength(1);
    const answer = approve ? approved : ({ type: 'rejected', reason: null } as const);
    expect(await cluster.parked.answer(keyOf(runId), 'call_1', 2, answer)).toBe('taken');
    second.runs.hurry();
    expect(await second.runs.whenFinished(keyOf(runId), never)).toMatchObject({ status: 'SUCCEEDED' });
    // Whatever was decided, a service that knows the key does it once.
    expect(launches(done)).toHaveLength(approve ? 2 : 1);
    expect(new Set(launches(done)).size).toBe(1);
    await expectToldOnce(runId);
    stuck.resolve();
  },
);
