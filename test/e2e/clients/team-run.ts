import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Behaviour, WireChat } from '../../helpers/vendor/behaviour.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { bodyOf, playing, roleOf } from '../agents/team-vendor.ts';
import type { GraphqlClient } from './graphql-client.ts';

/** A researcher searches, then the executor calculates, which needs an approval; then the answer is written. */
const plan = JSON.stringify({
  steps: [
    { key: 'lamp', title: 'The lamp', task: 'How often does it turn?', role: 'RESEARCHER', dependsOn: [] },
    { key: 'sum', title: 'The sum', task: 'How often in an hour?', role: 'EXECUTOR', dependsOn: ['lamp'] },
  ],
});
export const teamAnswer = 'It turns 120 times an hour [1].';
export const teamSteps = ['plan', 'lamp', 'check-lamp', 'sum', 'answer'];

const hasResult = ({ messages }: WireChat): boolean => messages.some(({ role }) => role === 'tool');

const acting: Behaviour = {
  ...playing({ plan, answer: ({ tools }) => (tools === undefined ? teamAnswer : 'It was computed.') }),
  toolCalls: (request) => {
    if (request.tools === undefined || hasResult(request)) return [];
    if (roleOf(request) === 'RESEARCHER')
      return [{ name: 'search', arguments: { query: 'How often does the lamp turn?' } }];
    return roleOf(request) === 'EXECUTOR' ? [{ name: 'calculate', arguments: { expression: '2 * 60' } }] : [];
  },
};

/** From here on the vendor plays the parts of the team; what else is asked of it stays as it was. */
export function playTeam(vendor: Vendor): () => void {
  return vendor.when((call) => call.path === '/chat/completions' && roleOf(bodyOf(call)) !== null, acting);
}

export const teamGoal = () => ({
  agent: 'research-team',
  goal: `How often does the lamp turn in an hour, ${randomUUID()}?`,
});

export const teamSubscription = `subscription ClientsTeam($input: StartAgentInput!) {
  agent(input: $input) {
    __typename
    seq
    ... on StepStarted { step }
    ... on StepFinished { step stepStatus }
    ... on ToolCallStarted { tool step }
    ... on ToolCallResult { toolStatus }
    ... on ApprovalRequested { toolCall { id tool arguments status } }
    ... on RunParked { runStatus }
    ... on RunFinished { run { status ... on AgentRun { output { text citations { number } } steps { key status } } } }
  }
}`;
export const waitingQuery = `query ClientsWaiting($runId: UUID!) {
  run(runId: $runId) { status pendingApprovals { id tool } }
}`;
export const approval = `mutation ClientsApprove($input: ResolveApprovalInput!) {
  resolveApproval(input: $input) { run { runId } }
}`;

interface TeamEvent {
  readonly __typename: string;
  readonly seq: number;
  readonly step?: string | null;
  readonly tool?: string;
  readonly toolStatus?: string;
  readonly toolCall?: { readonly id: string; readonly tool: string; readonly arguments: unknown };
}

interface Waiting {
  readonly run: { readonly status: string; readonly pendingApprovals: readonly { readonly id: string }[] };
}

/** Follows a team to its end by one operation, and approves by another of the same client when the run waits. */
export async function expectTeamRun({ request, subscribe }: GraphqlClient): Promise<void> {
  const runId = randomUUID();
  const events: TeamEvent[] = [];
  let approving: Promise<void> | null = null;
  await subscribe<{ agent: TeamEvent }>(teamSubscription, { input: { ...teamGoal(), runId } }, ({ agent }) => {
    events.push(agent);
    if (agent.__typename === 'RunParked') approving ??= approve();
  });
  await approving;

  async function approve(): Promise<void> {
    const waiting = () => request<Waiting>(waitingQuery, { runId });
    await expect.poll(async () => (await waiting()).run.status).toBe('AWAITING_APPROVAL');
    const [call] = (await waiting()).run.pendingApprovals;
    expect(call).toMatchObject({ id: events.find(({ toolCall }) => toolCall)?.toolCall?.id, tool: 'calculate' });
    await request(approval, { input: { runId, toolCallId: call?.id, approve: true } });
  }

  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  expect(events.map(said).filter((line) => line !== '')).toEqual([
    ...['RunStarted', 'StepStarted plan', 'StepFinished plan', 'StepStarted lamp', 'ToolCallStarted search'],
    ...['ToolCallEnded', 'ToolCallResult SUCCEEDED', 'StepFinished lamp', 'StepStarted check-lamp'],
    ...['StepFinished check-lamp', 'StepStarted sum', 'ToolCallStarted calculate', 'ToolCallEnded'],
    ...['ApprovalRequested', 'RunParked', 'ToolCallResult SUCCEEDED', 'StepFinished sum', 'StepStarted answer'],
    ...['TextMessageStarted', 'TextMessageEnded', 'StepFinished answer', 'RunFinished'],
  ]);
  expect(events.at(-1)).toMatchObject({
    run: {
      ...{ status: 'SUCCEEDED', output: { text: teamAnswer, citations: [{ number: 1 }] } },
      steps: ['lamp', 'check-lamp', 'sum', 'answer'].map((key) => ({ key, status: 'SUCCEEDED' })),
    },
  });
}

/** Pieces of text are not counted: how many there are is a matter of time. */
function said({ __typename, step, tool, toolStatus }: TeamEvent): string {
  if (/Delta$|^SourceCited$/.test(__typename)) return '';
  if (/^Step/.test(__typename)) return `${__typename} ${step ?? 'plan'}`;
  return [__typename, tool ?? toolStatus].filter((word) => word !== undefined).join(' ');
}
