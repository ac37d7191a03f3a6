import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingest, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import type { WireChat } from '../../helpers/vendor/behaviour.ts';
import { textOf } from '../../helpers/vendor/reply.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { runAgent } from './agent-run.ts';
import { planOf, playing, roleOf, type Script } from './team-vendor.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;
beforeAll(async () => {
  ({ gateway, vendor } = opened.use(await startGatewayWithVendor()));
  await ingest(gateway, [{ externalId: 'lamp', title: 'The lamp', text: 'The lamp turns twice a minute.' }]);
  await ingest(
    gateway,
    [{ externalId: 'keeper', title: 'The keeper', text: 'The keeper leaves in March.' }],
    'default',
  );
});
afterAll(() => opened.disposeAsync());

const hasResult = ({ messages }: WireChat): boolean => messages.some(({ role }) => role === 'tool');

/** A vendor whose members of this role call the tool once, before they say anything. */
async function calling(role: string, tool: string, args: object, script: Script, input: object) {
  const stop = vendor.when((call) => call.path === '/chat/completions', {
    ...playing(script),
    toolCalls: (request) =>
      roleOf(request) === role && !hasResult(request) ? [{ name: tool, arguments: JSON.stringify(args) }] : [],
  });
  try {
    return await runAgent(gateway, { goal: `What of it, ${randomUUID()}?`, ...input });
  } finally {
    stop();
  }
}

describe('tools of an agent', () => {
  it('are shown with it', async () => {
    const { agent } = await gateway.data<{ agent: { tools: { name: string }[] } }, object>(
      '{ agent(name: "research-team") { tools { name source requiresApproval parameters } } }',
    );
    expect(agent.tools.map(({ name }) => name)).toEqual(['calculate', 'read_document', 'search']);
  });

  it('are called by a researcher, and their calls stand with its step', async () => {
    const { run } = await calling(
      'RESEARCHER',
      'calculate',
      { expression: '2 * 60' },
      {
        plan: planOf(['turns']),
        find: (_question, request) => `It turns ${/120/.exec(request.messages.map(textOf).join())?.[0]} times an hour.`,
      },
      {},
    );
    expect(run.status).toBe('SUCCEEDED');
    expect(run.steps[0]).toMatchObject({
      ...{ key: 'turns', status: 'SUCCEEDED', output: 'It turns 120 times an hour.' },
      toolCalls: [{ tool: 'calculate', status: 'SUCCEEDED' }],
    });
  });

  it('that search bring passages which the answer of an assistant cites', async () => {
    const { run, text } = await calling(
      'ASSISTANT',
      'search',
      { query: 'When does the keeper leave?' },
      {
        answer: (request) => {
          const all = request.messages.map(textOf).join('\n');
          const [, number] = /"source":(\d+)[^{}]*The keeper leaves/.exec(all) ?? [];
          return `In March [${number}].`;
        },
      },
      { agent: 'assistant', goal: 'Who leaves?', retrieval: { in: 'default', first: 1 } },
    );
    expect(run).toMatchObject({ status: 'SUCCEEDED', steps: [{ key: 'answer', toolCalls: [{ tool: 'search' }] }] });
    expect(text).toBe('In March [1].');
    expect(run.output?.citations[0]?.passage?.text).toContain('The keeper leaves in March.');
  });

  it('of the app are waited for, and the run goes on with its answer', async () => {
    const runId = randomUUID();
    const clientTools = [
      {
        name: 'ask_keeper',
        description: 'Asks the keeper.',
        parameters: { type: 'object', properties: { about: { type: 'string' } } },
      },
    ];
    const heard = ({ messages }: WireChat): string =>
      messages
        .filter(({ role }) => role === 'tool')
        .map(textOf)
        .join();
    const running = calling(
      'ASSISTANT',
      'ask_keeper',
      { about: 'the lamp' },
      { answer: (request) => (heard(request).includes('It is broken') ? 'The lamp is broken.' : 'Nobody knows.') },
      { agent: 'assistant', runId, clientTools },
    );
    await expect
      .poll(() => runOf(runId))
      .toMatchObject({
        status: 'AWAITING_TOOL_RESULT',
        steps: [{ toolCalls: [{ tool: 'ask_keeper' }] }],
      });
    const [toolCallId] = (await runOf(runId))?.steps?.flatMap(({ toolCalls }) => toolCalls.map(({ id }) => id)) ?? [];
    await gateway.data(
      'mutation Answer($input: SubmitToolResultInput!) { submitToolResult(input: $input) { run { status } } }',
      { input: { runId, toolCallId, result: 'It is broken.' } },
    );
    const { run, text } = await running;
    expect(run.status).toBe('SUCCEEDED');
    expect(text).toBe('The lamp is broken.');
  });

  it('of the app must not bear the name of a tool that the agent has', async () => {
    const { errors } = await gateway.request(
      'mutation Start($input: StartAgentInput!) { startAgent(input: $input) { run { status } } }',
      {
        input: {
          ...{ agent: 'assistant', goal: 'What of it?' },
          clientTools: [{ name: 'search', description: 'Ours.', parameters: {} }],
        },
      },
    );
    expect(errors?.[0]).toMatchObject({
      message: expect.stringContaining(
        'clientTools[0].name must be unique among the tools of the run, got search twice',
      ),
      extensions: { code: 'BAD_INPUT' },
    });
  });

  it('that it was not given are never called', async () => {
    const { run } = await calling('RESEARCHER', 'launch', {}, { plan: planOf(['turns']) }, {});
    expect(run.status).toBe('SUCCEEDED');
    expect(run.steps[0]?.toolCalls).toMatchObject([{ tool: 'launch', status: 'FAILED' }]);
  });
});

async function runOf(runId: string) {
  const { run } = await gateway.data<
    { run: { status: string; steps?: { toolCalls: { id: string; tool: string }[] }[] } | null },
    object
  >(
    'query Waiting($runId: UUID!) { run(runId: $runId) { status ... on AgentRun { steps { toolCalls { id tool } } } } }',
    {
      runId,
    },
  );
  return run;
}
