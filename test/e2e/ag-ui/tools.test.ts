import { randomUUID } from 'node:crypto';
import { buildResumeArray, HttpAgent, type RunAgentParameters } from '@ag-ui/client';
import type { BaseEvent, Interrupt, Message } from '@ag-ui/core';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { TestGateway } from '../../helpers/gateway.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { spoken } from '../chat/turn.ts';
import { startClientRig } from '../clients/rig.ts';
import { approval, playTeam, teamAnswer, teamGoal, teamSteps } from '../clients/team-run.ts';
import { agentInput, agUiUrl, frames, post, refusalOf, typesOf, userMessage, verified } from './agent.ts';

// The client drops what the protocol does not describe, and says so.
const warnings = vi.spyOn(console, 'warn');
afterAll(() => warnings.mockRestore());
afterEach(() => expect(warnings).not.toHaveBeenCalled());

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;
beforeAll(async () => {
  ({ gateway, vendor } = opened.use(await startClientRig()));
});
afterAll(() => opened.disposeAsync());

const locate = {
  ...{ name: 'locate', description: 'Where the user is.' },
  parameters: { type: 'object', properties: { exact: { type: 'boolean' } }, required: ['exact'] },
};

function agentWith(...messages: Message[]): HttpAgent {
  return new HttpAgent({ url: agUiUrl(gateway), threadId: randomUUID(), initialMessages: messages });
}

interface TurnSeen {
  readonly events: readonly BaseEvent[];
  readonly types: readonly string[];
  readonly pendingToolCallIds: readonly string[];
  readonly interrupts: readonly Interrupt[];
}

/** One run of the official client, whose `verifyEvents` rejects what is out of order. */
async function turn(agent: HttpAgent, parameters: RunAgentParameters = {}): Promise<TurnSeen> {
  const events: BaseEvent[] = [];
  let ending: Pick<TurnSeen, 'pendingToolCallIds' | 'interrupts'> = { pendingToolCallIds: [], interrupts: [] };
  await agent.runAgent(parameters, {
    onEvent: ({ event }) => void events.push(event),
    onRunFinishedEvent(params) {
      ending = {
        pendingToolCallIds: params.outcome === 'success' ? params.pendingToolCallIds : [],
        interrupts: params.outcome === 'interrupt' ? params.interrupts : [],
      };
    },
  });
  return { events, types: typesOf(events).filter((type) => !/_ARGS$|_CONTENT$|^CUSTOM$/.test(type)), ...ending };
}

const rolesOf = ({ messages }: HttpAgent): string[] => messages.map(({ role }) => role);
const sluiceRunOf = ([started]: readonly BaseEvent[]): unknown => started?.metadata?.['sluice'];
const last = (): string[] => spoken(vendor.calls('/chat/completions').at(-1));

describe('a tool of the front end', () => {
  test('ends the run with its call, and the next run goes on with what it returned', async () => {
    vendor.next({ toolCalls: [{ id: 'call_1', name: 'locate', arguments: { exact: true } }] }, { reply: 'In Oslo.' });
    const agent = agentWith(userMessage('Where am I?'));
    const first = await turn(agent, { tools: [locate] });
    expect(first.types).toEqual(['RUN_STARTED', 'TOOL_CALL_START', 'TOOL_CALL_END', 'RUN_FINISHED']);
    const [toolCallId = ''] = first.pendingToolCallIds;
    expect(agent.messages.at(-1)).toMatchObject({
      toolCalls: [{ id: toolCallId, function: { name: 'locate', arguments: '{"exact":true}' } }],
    });

    agent.addMessage({ id: randomUUID(), role: 'tool', toolCallId, content: '{"city":"Oslo"}' });
    const second = await turn(agent, { tools: [locate] });
    // The client has the result: it is not told again.
    expect(second.types).toEqual(['RUN_STARTED', 'TEXT_MESSAGE_START', 'TEXT_MESSAGE_END', 'RUN_FINISHED']);
    expect(sluiceRunOf(second.events)).toEqual(sluiceRunOf(first.events));
    expect(second.pendingToolCallIds).toEqual([]);
    expect(rolesOf(agent)).toEqual(['user', 'assistant', 'tool', 'assistant']);
    expect(agent.messages.at(-1)?.content).toBe('In Oslo.');
    expect(last().at(-1)).toContain('Oslo');
    // Each run tells what it has used itself.
    const [before, after] = [first, second].map(({ events }) => Reflect.get(events.at(-1) ?? {}, 'usage')[0]);
    const { usage } = Reflect.get(second.events.at(-1) ?? {}, 'result');
    expect(before.inputTokens + after.inputTokens).toBe(usage.inputTokens);
    expect(after.inputTokens).toBeGreaterThan(0);

    agent.addMessage(userMessage('And what is its weather?'));
    vendor.next({ reply: 'Rain.' });
    await turn(agent, { tools: [locate] });
    expect(last().map((line) => line.split(':')[0])).toEqual([
      ...['system', 'user', 'assistant', 'tool', 'assistant', 'user'],
    ]);
  });

  test('is told as an error when it failed, and as many are answered as were called', async () => {
    const both = ['call_a', 'call_b'].map((id) => ({ id, name: 'locate', arguments: { exact: false } }));
    vendor.next({ toolCalls: both }, { reply: 'Nobody knows.' });
    const agent = agentWith(userMessage('Where are we?'));
    const { pendingToolCallIds } = await turn(agent, { tools: [locate] });
    expect(pendingToolCallIds).toHaveLength(2);
    const [one = '', two = ''] = pendingToolCallIds;
    agent.addMessage({ id: randomUUID(), role: 'tool', toolCallId: one, content: '', error: 'no signal' });
    const half = await turn(agent, { tools: [locate] });
    expect(half.types).toEqual(['RUN_STARTED', 'RUN_FINISHED']);
    expect(half.pendingToolCallIds).toEqual([two]);
    agent.addMessage({ id: randomUUID(), role: 'tool', toolCallId: two, content: 'at sea' });
    const { types } = await turn(agent, { tools: [locate] });
    expect(types.at(-1)).toBe('RUN_FINISHED');
    expect(agent.messages.at(-1)?.content).toBe('Nobody knows.');
    expect(last().slice(-2).join()).toMatch(/no signal[\s\S]*at sea/);
  });

  test('of a run that is not stored is answered by a new run with the whole conversation', async () => {
    vendor.next({ toolCalls: [{ id: 'call_2', name: 'locate', arguments: { exact: true } }] }, { reply: 'In Bergen.' });
    const agent = agentWith(userMessage('Where am I?'));
    const parameters = { tools: [locate], forwardedProps: { store: false } };
    const first = await turn(agent, parameters);
    const [toolCallId = ''] = first.pendingToolCallIds;
    agent.addMessage({ id: randomUUID(), role: 'tool', toolCallId, content: 'Bergen' });
    const second = await turn(agent, parameters);
    expect(sluiceRunOf(second.events)).not.toEqual(sluiceRunOf(first.events));
    expect(agent.messages.at(-1)?.content).toBe('In Bergen.');
  });

  test('whose arguments are wrong is not called: the gateway answers, and the model tries again', async () => {
    vendor.next(
      { toolCalls: [{ id: 'call_3', name: 'locate', arguments: { exact: 'very' } }] },
      { toolCalls: [{ id: 'call_4', name: 'locate', arguments: { exact: true } }] },
    );
    const agent = agentWith(userMessage('Where am I?'));
    const { types, pendingToolCallIds } = await turn(agent, { tools: [locate] });
    expect(types).toContain('TOOL_CALL_RESULT');
    expect(pendingToolCallIds).toHaveLength(1);
    expect(pendingToolCallIds[0]).toMatch(/^call_4@/);
  });
});

describe('an approval', () => {
  const asking = (id: string) => ({ toolCalls: [{ id, name: 'calculate', arguments: { expression: '6 * 7' } }] });
  const withTools = { forwardedProps: { tools: ['calculate'] } };

  async function interrupted(id: string) {
    vendor.next(asking(id));
    const agent = agentWith(userMessage('How much is it?'));
    const first = await turn(agent, withTools);
    return { agent, first, interrupts: [...first.interrupts] };
  }

  test('interrupts the run; with changed arguments it goes on in the next one', async () => {
    const { agent, first, interrupts } = await interrupted('call_5');
    expect(first.types).toEqual(['RUN_STARTED', 'TOOL_CALL_START', 'TOOL_CALL_END', 'RUN_FINISHED']);
    expect(interrupts).toMatchObject([
      {
        ...{ reason: 'tool_call', message: 'May calculate be called?' },
        toolCallId: Reflect.get(agent.messages.at(-1) ?? {}, 'toolCalls')[0].id,
        metadata: { sluice: { tool: 'calculate', arguments: { expression: '6 * 7' } } },
      },
    ]);
    vendor.next({ reply: 'It is 20.' });
    const payload = { approved: true, editedArgs: { expression: '4 * 5' } };
    const answers = Object.fromEntries(interrupts.map(({ id }) => [id, { status: 'resolved' as const, payload }]));
    const second = await turn(agent, { ...withTools, resume: buildResumeArray(interrupts, answers) });
    expect(second.types).toEqual([
      ...['RUN_STARTED', 'TOOL_CALL_RESULT', 'TEXT_MESSAGE_START', 'TEXT_MESSAGE_END', 'RUN_FINISHED'],
    ]);
    expect(rolesOf(agent)).toEqual(['user', 'assistant', 'tool', 'assistant']);
    expect(agent.messages.at(-2)?.content).toContain('20');
  });

  test.each([
    ['refused', { status: 'resolved', payload: { approved: false, reason: 'Too dear.' } }, 'Too dear.'],
    ['given up', { status: 'cancelled' }, 'Nobody decided.'],
  ] as const)('that is %s is told to the model as a rejection', async (_how, answer, reason) => {
    const { agent, interrupts } = await interrupted(`call_${randomUUID()}`);
    vendor.next({ reply: 'Then not.' });
    const [interruptId = ''] = interrupts.map(({ id }) => id);
    await turn(agent, { ...withTools, resume: [{ interruptId, ...answer }] });
    expect(last().at(-1)).toContain(reason);
    expect(agent.messages.at(-1)?.content).toBe('Then not.');
  });

  test('that is sent twice counts once, and tells the same; another one is a new request that finds it given', async () => {
    const { interrupts } = await interrupted('call_6');
    vendor.next({ reply: 'It is 42.' });
    const [interruptId = ''] = interrupts.map(({ id }) => id);
    const resume = [{ interruptId, status: 'resolved', payload: { approved: true } }];
    const body = agentInput('How much is it?', { resume, ...withTools });
    const [one, two] = await Promise.all(
      [frames(gateway, body), frames(gateway, body)].map((each) => each.catch(String)),
    );
    // Both at the same moment: one of them is told that the other was first.
    const whole = [one, two].find((each) => typeof each !== 'string');
    if (whole === undefined || typeof whole === 'string') return expect.unreachable();
    const again = await frames(gateway, body);
    expect(again.map(({ event }) => event)).toEqual(whole.map(({ event }) => event));
    await verified(again.map(({ event }) => event));
    const behind = whole.find(({ event }) => event.type === 'TOOL_CALL_RESULT');
    const rest = await frames(gateway, body, { headers: { 'last-event-id': behind?.id ?? '' } });
    expect(typesOf(rest.map(({ event }) => event))).not.toContain('TOOL_CALL_RESULT');
    await verified(rest.map(({ event }) => event));
  });

  test('that says otherwise than the one before it is CONFLICT: a refusal does not vanish', async () => {
    const { interrupts } = await interrupted('call_9');
    vendor.next({ reply: 'It is 42.' });
    const [interruptId = ''] = interrupts.map(({ id }) => id);
    const bodyWith = (payload: object, id = interruptId) =>
      agentInput('How much is it?', { resume: [{ interruptId: id, status: 'resolved', payload }], ...withTools });
    // Nothing was asked in that round: the answer must not be taken for one to another question.
    const early = await post(gateway, bodyWith({ approved: true }, interruptId.replace('approval-1', 'approval-7')));
    expect(await refusalOf(early)).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    await frames(gateway, bodyWith({ approved: true }));
    for (const payload of [{ approved: false }, { approved: true, editedArgs: { expression: '1 + 1' } }]) {
      const refused = await refusalOf(await post(gateway, bodyWith(payload)));
      expect(refused).toMatchObject({ status: 409, message: expect.stringMatching(/calculate was answered before/) });
    }
    await frames(gateway, bodyWith({ approved: true }));
  });

  test('that the operator has not allowed to be changed, or has no such arguments, is refused before the stream', async () => {
    const { interrupts } = await interrupted('call_7');
    const [interruptId = ''] = interrupts.map(({ id }) => id);
    const payload = { approved: true, editedArgs: { expression: 7 } };
    const resume = [{ interruptId, status: 'resolved', payload }];
    const response = await post(gateway, agentInput('How much is it?', { resume, ...withTools }));
    expect(await refusalOf(response)).toMatchObject({ status: 400, message: expect.stringContaining('/expression') });
  });

  test('leaves the stream open for a client from before AG-UI 1.0, and goes on when somebody gives it', async () => {
    vendor.next(asking('call_8'), { reply: 'It is 42.' });
    const runId = randomUUID();
    const body = agentInput('How much?', { runId, protocolVersion: undefined, ...withTools });
    let approving: Promise<unknown> | null = null;
    const events = await frames(gateway, body, {
      onFrame: ({ event }) => {
        if (event.type !== 'TOOL_CALL_END') return;
        approving ??= gateway.data(approval, { input: { runId, toolCallId: 'call_8', approve: true } });
      },
    });
    await approving;
    expect(typesOf(events.map(({ event }) => event)).at(-1)).toBe('RUN_FINISHED');
    await verified(events.map(({ event }) => event));
  });
});

test('a team with a tool call and an approval is followed over both of its runs to the end', async () => {
  const stop = playTeam(vendor);
  const { agent: name, goal } = teamGoal();
  const agent = agentWith(userMessage(goal));
  const forwardedProps = { agent: name };
  const first = await turn(agent, { forwardedProps });
  const [interrupt] = first.interrupts;
  expect(interrupt).toMatchObject({ message: 'May calculate be called?' });
  expect(first.types.filter((type) => type === 'TOOL_CALL_RESULT')).toHaveLength(1);
  const resume = [{ interruptId: interrupt?.id ?? '', status: 'resolved' as const, payload: { approved: true } }];
  const second = await turn(agent, { forwardedProps, resume });
  stop();
  expect(second.types).toEqual([
    ...['RUN_STARTED', 'STEP_STARTED', 'TOOL_CALL_RESULT', 'STEP_FINISHED', 'STEP_STARTED', 'TEXT_MESSAGE_START'],
    ...['TEXT_MESSAGE_END', 'STEP_FINISHED', 'RUN_FINISHED'],
  ]);
  const steps = [...first.events, ...second.events].flatMap((event) => Reflect.get(event, 'stepName') ?? []);
  expect(new Set(steps)).toEqual(new Set(teamSteps));
  expect(agent.messages.at(-1)).toMatchObject({ role: 'assistant', content: teamAnswer });
  expect(rolesOf(agent)).toEqual(['user', 'assistant', 'tool', 'assistant', 'tool', 'assistant']);
});
