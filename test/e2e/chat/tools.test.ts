import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configFile } from '../../helpers/config-file.ts';
import { ingest, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { bodyOf, chat, refusal, spoken, startTurn } from './turn.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;

beforeAll(async () => {
  const config = opened.use(
    await configFile({ tools: { settings: { calculate: { requiresApproval: true } }, maxTurns: 4 } }),
  );
  ({ gateway, vendor } = opened.use(await startGatewayWithVendor({ environment: config.environment })));
  await ingest(gateway, [{ externalId: 'otters', title: 'Otters', text: 'Otters eat fish and crabs.' }]);
});
afterAll(() => opened.disposeAsync());

interface CallView {
  readonly id: string;
  readonly tool: string;
  readonly arguments: unknown;
  readonly result: unknown;
  readonly status: string;
}

const callFields = 'id tool arguments result status';
const locate = {
  name: 'locate',
  description: 'Where the user is.',
  parameters: { type: 'object', properties: { exact: { type: 'boolean' } }, required: ['exact'] },
};

async function waiting(runId: string, status: string): Promise<readonly CallView[]> {
  const query = `query ($runId: UUID!) { run(runId: $runId) { status pendingApprovals { ${callFields} } } }`;
  type Found = { run: { status: string; pendingApprovals: readonly CallView[] } };
  await expect.poll(async () => (await gateway.data<Found, unknown>(query, { runId })).run.status).toBe(status);
  return (await gateway.data<Found, unknown>(query, { runId })).run.pendingApprovals;
}

async function ended(runId: string) {
  const query = `query ($runId: UUID!) { run(runId: $runId) { finished { status
    ... on ChatRun { reply { id text finishReason toolCalls { ${callFields} } citations { number } } conversation { id } } } } }`;
  type Reply = {
    id: string;
    text: string;
    finishReason: string;
    toolCalls: readonly CallView[];
    citations: readonly unknown[];
  };
  type Found = { run: { finished: { status: string; reply: Reply | null; conversation: { id: string } } } };
  return (await gateway.data<Found, unknown>(query, { runId })).run.finished;
}

const resolve = (input: Readonly<Record<string, unknown>>) =>
  gateway.request<unknown, unknown>(
    'mutation ($input: ResolveApprovalInput!) { resolveApproval(input: $input) { run { runId } } }',
    { input },
  );
const submit = (input: Readonly<Record<string, unknown>>) =>
  gateway.request<unknown, unknown>(
    'mutation ($input: SubmitToolResultInput!) { submitToolResult(input: $input) { run { runId } } }',
    { input },
  );
const codeOf = async (work: ReturnType<typeof resolve>) => (await work).errors?.[0]?.extensions.code;

describe('tools in a chat', () => {
  it('are called, and the answer that rests on their passages cites them', async () => {
    vendor.next({
      reply: 'I look it up.',
      toolCalls: [{ id: 'call_s', name: 'search', arguments: { query: 'what do otters eat' } }],
    });
    vendor.next({ reply: 'They eat fish [1].' });
    const turn = await chat(gateway, { message: 'What do otters eat?', tools: ['search'] });
    expect(turn).toMatchObject({ status: 'SUCCEEDED', error: null, text: 'I look it up.\n\nThey eat fish [1].' });
    expect(turn.reply).toMatchObject({
      text: turn.text,
      finishReason: 'STOP',
      citations: [{ number: 1, title: 'Otters' }],
    });
    expect(turn.eventNames.filter((name) => name.startsWith('ToolCall') && name !== 'ToolCallArgumentsDelta')).toEqual([
      ...['ToolCallStarted', 'ToolCallEnded', 'ToolCallResult'],
    ]);
    const told = bodyOf(vendor.calls('/chat/completions').at(-1));
    expect(told.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool']);
    // Later turns know of the call and its result.
    vendor.next({ reply: 'Crabs.' });
    await chat(gateway, { conversationId: turn.conversation?.id, message: 'What else?' });
    expect(spoken(vendor.calls('/chat/completions').at(-1)).map((line) => line.split(':')[0])).toEqual([
      ...['user', 'assistant', 'tool', 'assistant', 'user'],
    ]);
  });

  it('wait for an approval, once, with changed arguments where these satisfy the schema', async () => {
    vendor.next({ toolCalls: [{ id: 'call_a', name: 'calculate', arguments: { expression: '2 * 3' } }] });
    const runId = await startTurn(gateway, { message: 'How much?', tools: ['calculate'] });
    const [pending] = await waiting(runId, 'AWAITING_APPROVAL');
    expect(pending).toMatchObject({
      id: 'call_a',
      tool: 'calculate',
      arguments: { expression: '2 * 3' },
      result: null,
    });
    const toolCallId = 'call_a';
    expect(await codeOf(resolve({ runId, toolCallId: 'call_b', approve: true }))).toBe('NOT_FOUND');
    expect(await codeOf(resolve({ runId: randomUUID(), toolCallId, approve: true }))).toBe('NOT_FOUND');
    expect(await codeOf(resolve({ runId, toolCallId, approve: true, arguments: { expression: 7 } }))).toBe('BAD_INPUT');
    const deep = JSON.parse(`${'['.repeat(60)}${']'.repeat(60)}`);
    expect(await codeOf(resolve({ runId, toolCallId, approve: true, arguments: deep }))).toBe('BAD_INPUT');
    expect(await codeOf(resolve({ runId, toolCallId, approve: false, arguments: {} }))).toBe('BAD_INPUT');
    expect(await codeOf(submit({ runId, toolCallId, result: 6 }))).toBe('BAD_INPUT');
    vendor.next({ reply: 'It is twenty.' });
    expect(
      await codeOf(resolve({ runId, toolCallId, approve: true, arguments: { expression: '4 * 5' } })),
    ).toBeUndefined();
    const { status, reply } = await ended(runId);
    expect({ status, text: reply?.text }).toEqual({ status: 'SUCCEEDED', text: 'It is twenty.' });
    expect(reply?.toolCalls).toMatchObject([{ status: 'SUCCEEDED', arguments: { expression: '4 * 5' } }]);
    expect(JSON.stringify(reply?.toolCalls[0]?.result)).toContain('20');
    expect(await codeOf(resolve({ runId, toolCallId, approve: true }))).toBe('CONFLICT');
    expect(await waiting(runId, 'SUCCEEDED')).toEqual([]);
  });

  it('of the app: the run waits for their result, or for the error', async () => {
    for (const given of [{ result: { city: 'Oslo' } }, { error: 'no signal' }]) {
      vendor.next({ toolCalls: [{ id: 'call_c', name: 'locate', arguments: { exact: true } }] });
      const runId = await startTurn(gateway, { message: 'Where am I?', clientTools: [locate] });
      await waiting(runId, 'AWAITING_TOOL_RESULT');
      expect(await codeOf(submit({ runId, toolCallId: 'call_c' }))).toBe('BAD_INPUT');
      expect(await codeOf(submit({ runId, toolCallId: 'call_c', result: 1, error: 'x' }))).toBe('BAD_INPUT');
      vendor.next({ reply: 'In Oslo.' });
      expect(await codeOf(submit({ runId, toolCallId: 'call_c', ...given }))).toBeUndefined();
      expect(await ended(runId)).toMatchObject({ status: 'SUCCEEDED', reply: { text: 'In Oslo.' } });
      expect(spoken(vendor.calls('/chat/completions').at(-1)).at(-1)).toContain(
        'result' in given ? 'Oslo' : 'no signal',
      );
      expect(await codeOf(submit({ runId, toolCallId: 'call_c', result: 1 }))).toBe('CONFLICT');
    }
  });

  it('of an app that keeps the conversation: the run ends, and history brings the result', async () => {
    const toolCalls = [{ id: 'call_d', tool: 'locate', arguments: { exact: false } }];
    vendor.next({ toolCalls: [{ id: 'call_d', name: 'locate', arguments: { exact: false } }] });
    const runId = await startTurn(gateway, { message: 'Where am I?', clientTools: [locate], store: false });
    const first = await ended(runId);
    expect(first).toMatchObject({
      status: 'SUCCEEDED',
      reply: { finishReason: 'TOOL_CALLS', toolCalls: [{ tool: 'locate', result: null }] },
    });
    vendor.next({ reply: 'In Bergen.' });
    const history = [
      { role: 'USER', text: 'Where am I?' },
      { role: 'ASSISTANT', text: '', toolCalls },
      { role: 'TOOL', text: 'Bergen', toolCallId: 'call_d' },
    ];
    const second = await chat(gateway, { history, clientTools: [locate], store: false });
    expect(second).toMatchObject({ status: 'SUCCEEDED', text: 'In Bergen.' });
  });

  it('are stopped by the bound of turns', async () => {
    const again = { toolCalls: [{ name: 'search', arguments: { query: 'otters' } }] };
    vendor.next(again, again, again, { reply: 'Enough.' });
    const turn = await chat(gateway, { message: 'Search for ever.', tools: ['search'] });
    expect(turn).toMatchObject({ status: 'SUCCEEDED', text: 'Enough.' });
    expect(bodyOf(vendor.calls('/chat/completions').at(-1))['tool_choice']).toBe('none');
  });

  it.each([
    [{ tools: ['rm'] }, /tools must be names of tools that there are, got "rm"/],
    [{ tools: ['calculate'], store: false }, /store must be true for the tool calculate/],
    [{ toolChoice: 'required' }, /toolChoice needs tools/],
    [{ tools: ['search'], toolChoice: 'rm' }, /toolChoice must be .* got "rm"/],
    [{ clientTools: [{ ...locate, name: 'a b' }] }, /clientTools\[0\]\.name/],
    [{ clientTools: [{ ...locate, name: 'search' }], tools: ['search'] }, /unique among the tools/],
    [
      { clientTools: [{ ...locate, parameters: { type: 'nonsense' } }] },
      /clientTools\[0\]\.parameters must be a JSON Schema/,
    ],
    [
      { history: [{ role: 'TOOL', text: 'x', toolCallId: 'a' }] },
      /history\[0\]\.toolCallId must be an unanswered call/,
    ],
    [{ history: [{ role: 'TOOL', text: 'x' }] }, /history\[0\]\.toolCallId must name the call/],
  ])('are refused when the input is wrong: %j', async (input, message) => {
    expect(await refusal(gateway, { message: 'Hi', ...input })).toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(message),
    });
  });
});
