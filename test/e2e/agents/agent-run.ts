import { randomUUID } from 'node:crypto';
import type { TestGateway } from '../../helpers/gateway.ts';

export interface StepSeen {
  readonly key: string;
  readonly title: string;
  readonly role: string;
  readonly status: string;
  readonly attempt: number;
  readonly output: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly dependsOn: readonly { readonly key: string }[];
  readonly citations: readonly { readonly number: number; readonly quote: string }[];
  readonly toolCalls: readonly { readonly id: string; readonly tool: string; readonly status: string }[];
  readonly usage: { readonly calls: number; readonly inputTokens: number; readonly outputTokens: number };
}

export interface AgentRunSeen {
  readonly runId: string;
  readonly status: string;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly goal: string;
  readonly finishReason: string | null;
  readonly object: unknown;
  readonly output: {
    readonly text: string;
    readonly model: string;
    readonly citations: readonly {
      readonly number: number;
      readonly quote: string;
      readonly passage: { readonly text: string } | null;
    }[];
  } | null;
  readonly steps: readonly StepSeen[];
  readonly usage: { readonly calls: number; readonly inputTokens: number; readonly outputTokens: number };
}

export interface EventSeen {
  readonly __typename: string;
  readonly seq: number;
  readonly cursor: string;
  readonly step?: string | null;
  readonly title?: string;
  readonly role?: string | null;
  readonly stepStatus?: string;
  readonly delta?: string;
  readonly messageId?: string;
  readonly reason?: string;
}

export const runFields = `runId status error { code message } goal finishReason object
  output { text model citations { number quote passage { text } } }
  steps { key title role status attempt output startedAt finishedAt dependsOn { key } citations { number quote }
    toolCalls { id tool status } usage { calls inputTokens outputTokens } }
  usage { calls inputTokens outputTokens }`;

export const eventFields = `__typename seq cursor
  ... on StepStarted { step title role } ... on StepFinished { step stepStatus }
  ... on TextMessageStarted { messageId step } ... on TextMessageDelta { messageId delta }
  ... on TextMessageReset { messageId reason }`;

/** Gives a goal to an agent, follows it to its end, and reads what it left. */
export async function runAgent(
  gateway: TestGateway,
  input: { readonly agent?: string; readonly goal: string; readonly [field: string]: unknown },
): Promise<{ readonly run: AgentRunSeen; readonly events: readonly EventSeen[]; readonly text: string }> {
  const runId = randomUUID();
  const events: EventSeen[] = [];
  const follow = `subscription Agent($input: StartAgentInput!) { agent(input: $input) { ${eventFields} } }`;
  const started = { agent: 'research-team', runId, ...input };
  for await (const { agent } of gateway.subscribe<{ agent: EventSeen }, object>(follow, { input: started })) {
    events.push(agent);
  }
  return { run: await readRun(gateway, String(started.runId)), events, text: textIn(events) };
}

export async function readRun(gateway: TestGateway, runId: string): Promise<AgentRunSeen> {
  const query = `query Run($runId: UUID!) { run(runId: $runId) { ... on AgentRun { finished { ${runFields} } } } }`;
  const { run } = await gateway.data<{ run: { finished: AgentRunSeen } }, object>(query, { runId });
  return run.finished;
}

/** The answer as a follower has it. */
export function textIn(events: readonly EventSeen[]): string {
  return events.reduce(
    (text, { __typename, delta }) => (__typename === 'TextMessageReset' ? '' : text + (delta ?? '')),
    '',
  );
}

/** Milliseconds since the epoch at which a step's newest attempt began and ended. */
export function timesOf({ key, startedAt, finishedAt }: StepSeen): readonly [from: number, to: number] {
  if (startedAt === null || finishedAt === null) throw new Error(`${key} has not run`);
  return [Date.parse(startedAt), Date.parse(finishedAt)];
}

export const ofRole = (run: AgentRunSeen, role: string): StepSeen[] => run.steps.filter((step) => step.role === role);
