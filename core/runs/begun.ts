import type { EventLog, LogState } from '../contracts/event-log.ts';
import type { RunEvent } from '../contracts/run-event.ts';
import type { RunRecord } from '../contracts/run-store.ts';

/** What the attempts before this one have said, as far as the log has it. */
export interface Begun {
  /** RunStarted is in the log. */
  readonly started: boolean;
  /** Messages of which a part is in the log, with the text that its readers hold now. */
  readonly messages: ReadonlyMap<string, string>;
  /** The ids of the tool calls that began, with the step that each is of. */
  readonly toolCalls: ReadonlyMap<string, string | null>;
  /** Those of them that are in it to their end. */
  readonly endedMessages: ReadonlySet<string>;
  /** How often each step was said to start and to finish; null: what every run does. */
  readonly steps: ReadonlyMap<string | null, { readonly started: number; readonly finished: number }>;
  /** Some of it was said, and is not in the log any more: readers may have seen what this attempt cannot know. */
  readonly isLost: boolean;
  /** Whether an event of this type about the same tool call is in the log: it need not be said again. */
  hasSaid(event: RunEvent): boolean;
}

export const nothingBegun: Begun = {
  started: false,
  messages: new Map(),
  toolCalls: new Map(),
  endedMessages: new Set(),
  steps: new Map(),
  isLost: false,
  hasSaid: () => false,
};

const pageSize = 500;
/** No attempt says more than this. Ints of GraphQL bear two thousand attempts. */
const seqsPerAttempt = 1_000_000;

/**
 * Takes the log of a run over for a later attempt: the earlier ones can add nothing from here on. A log that was lost with
 * its process, or its server, goes on far behind whatever any reader can have seen.
 */
export async function takeLog(
  log: EventLog,
  run: RunRecord,
): Promise<{ readonly state: LogState; readonly begun: Begun }> {
  const state = await log.fence(run, run.attempt, 0);
  if (state.lastSeq > 0) return { state, begun: await readBegun(log, run, state.lastSeq) };
  if (run.startedAt === null) return { state, begun: nothingBegun };
  const floor = (run.attempt - 1) * seqsPerAttempt;
  return { state: await log.fence(run, run.attempt, floor), begun: { ...nothingBegun, isLost: true } };
}

async function readBegun(log: EventLog, run: RunRecord, lastSeq: number): Promise<Begun> {
  let started = false;
  let isLost = false;
  const messages = new Map<string, string>();
  const toolCalls = new Map<string, string | null>();
  const said = new Set<string>();
  const endedMessages = new Set<string>();
  const steps = new Map<string | null, { started: number; finished: number }>();
  for (let after = 0; after < lastSeq; ) {
    const { events, gap } = await log.read(run, after, pageSize);
    isLost ||= gap !== null;
    for (const { event } of events) {
      started ||= event.type === 'RunStarted';
      if ('messageId' in event) messages.set(event.messageId, textAfter(messages.get(event.messageId) ?? '', event));
      if (event.type === 'TextMessageEnded') endedMessages.add(event.messageId);
      if (event.type === 'TextMessageReset') endedMessages.delete(event.messageId);
      if (event.type === 'ToolCallStarted') toolCalls.set(event.toolCallId, event.step ?? null);
      if (event.type === 'StepStarted' || event.type === 'StepFinished') {
        const { started: starts, finished: ends } = steps.get(event.step) ?? { started: 0, finished: 0 };
        const isStart = event.type === 'StepStarted';
        steps.set(event.step, { started: starts + (isStart ? 1 : 0), finished: ends + (isStart ? 0 : 1) });
      }
      const subject = subjectOf(event);
      if (subject !== null) said.add(subject);
    }
    after = events.at(-1)?.seq ?? lastSeq;
  }
  const hasSaid = (event: RunEvent): boolean => said.has(subjectOf(event) ?? '');
  return { started, messages, endedMessages, toolCalls, steps, isLost, hasSaid };
}

function textAfter(text: string, event: RunEvent): string {
  if (event.type === 'TextMessageReset') return '';
  return event.type === 'TextMessageDelta' ? text + event.delta : text;
}

/** What a run says once of each tool call, and of each question about it; null for what it may say again. */
export function subjectOf(event: RunEvent): string | null {
  if (event.type === 'ApprovalRequested') {
    const { toolCall, round = toolCall.result === null ? 1 : 2 } = event;
    return `${event.type} ${toolCall.id} ${round}`;
  }
  if (!('toolCallId' in event) || event.type === 'ToolCallArgumentsDelta') return null;
  return `${event.type} ${event.toolCallId}`;
}
