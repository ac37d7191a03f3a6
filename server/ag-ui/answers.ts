import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import { readCallId, readInterruptId, writeCallId } from './call-ids.ts';
import { resultText } from './content-parts.ts';
import type { RunAgentInput } from './run-agent-input.ts';

/** What a request says to calls of one run that waits for it. */
export interface Answers {
  readonly runId: string;
  readonly decisions: readonly Decision[];
  readonly results: readonly ToolAnswer[];
}

export interface Decision {
  readonly callId: string;
  readonly round: number;
  readonly approve: boolean;
  readonly arguments: unknown;
  readonly reason: string | null;
}

/** `value: undefined`: an error is given instead. */
export interface ToolAnswer {
  readonly callId: string;
  readonly value: unknown;
  readonly error: string | null;
}

const payloadForm = z.strictObject({
  approved: z.boolean(),
  editedArgs: z.record(z.string(), z.unknown()).nullish(),
  reason: z.string().nullish(),
});

/** Null: the request answers nothing, and begins a run. `resume` names the run; without it the tool messages at the end do. */
export function answersIn({ messages, resume }: Pick<RunAgentInput, 'messages' | 'resume'>): Answers | null {
  const decided = (resume ?? []).map(decisionOf);
  const told = resultsAtEnd(messages);
  const runId = decided[0]?.runId ?? told.at(-1)?.runId;
  if (runId === undefined) return null;
  const other = decided.find((decision) => decision.runId !== runId);
  if (other !== undefined) throw bad(`resume must answer one run, got ${runId} and ${other.runId}.`);
  return { runId, decisions: distinct(decided), results: distinct(told.filter((result) => result.runId === runId)) };
}

function decisionOf(
  { interruptId, status, payload }: NonNullable<RunAgentInput['resume']>[number],
  index: number,
): Decision & { readonly runId: string } {
  const at = `resume[${index}]`;
  const asked = readInterruptId(interruptId);
  if (asked === null) {
    throw bad(`${at}.interruptId must be the id of an interrupt, got ${JSON.stringify(interruptId.slice(0, 100))}.`);
  }
  // Whoever gives a question up has not allowed anything.
  if (status === 'cancelled') return { ...asked, approve: false, arguments: null, reason: 'Nobody decided.' };
  const parsed = payloadForm.safeParse(payload);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw bad(`${at}.payload must satisfy the interrupt's responseSchema: ${issue?.path.join('.')} ${issue?.message}.`);
  }
  const { approved, editedArgs = null, reason = null } = parsed.data;
  return { ...asked, approve: approved, arguments: editedArgs, reason };
}

/** Said twice is said once; two answers to one call are none. */
function distinct<T extends { readonly callId: string; readonly runId: string; readonly round?: number }>(
  answers: readonly T[],
): T[] {
  return answers.filter((answer, index) => {
    const first = answers.findIndex(({ callId, round }) => callId === answer.callId && round === answer.round);
    if (first === index) return true;
    if (isDeepStrictEqual(answer, answers[first])) return false;
    throw bad(`resume and messages must give one answer to each call, got two for ${writeCallId(answer)}.`);
  });
}

/** Of the last turn: nothing else was said since. Some clients put each result right behind its call, between the calls. */
function resultsAtEnd(messages: RunAgentInput['messages']): (ToolAnswer & { readonly runId: string })[] {
  const last = messages.findLastIndex((message) => message.role === 'user' || isSaid(message));
  return messages.slice(last + 1).flatMap((message) => {
    if (message.role !== 'tool') return [];
    const call = readCallId(message.toolCallId);
    if (call === null) return [];
    const text = resultText(message.content ?? '');
    const error = message.error ?? null;
    return [{ ...call, value: error === null ? jsonOrText(text) : undefined, error: error === '' ? text : error }];
  });
}

function isSaid(message: RunAgentInput['messages'][number]): boolean {
  return message.role === 'assistant' && (message.toolCalls ?? []).length === 0;
}

/** A tool's structured answer comes as text: the protocol has no part for it. */
function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const bad = (message: string): GatewayError => new GatewayError('BAD_INPUT', message);
