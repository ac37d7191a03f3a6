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

  it('that it was not given are never called', async () => {
    const { run } = await calling('RESEARCHER', 'launch', {}, { plan: planOf(['turns']) }, {});
    expect(run.status).toBe('SUCCEEDED');
    expect(run.steps[0]?.toolCalls).toMatchObject([{ tool: 'launch', status: 'FAILED' }]);
  });
});
