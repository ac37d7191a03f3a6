import { assertSeesKind, type ScopeHolder } from '../access/scopes.ts';
import type { RunKey } from '../contracts/event-log.ts';
import type { Json } from '../contracts/filter.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { AwaitedCallRecord, CallAnswer, ParkedRuns } from '../contracts/parked-runs.ts';
import type { ParkedStatus, RunRecord } from '../contracts/run-store.ts';
import { runNotFound } from '../runs/run-error.ts';
import type { Runs } from '../runs/runs.ts';
import { assertStorable } from '../text/normalise.ts';
import { assertStorableJson } from '../text/storable-json.ts';
import type { Toolbox } from './toolbox.ts';

export interface AnswerServices {
  readonly runs: Pick<Runs, 'find' | 'answered'>;
  readonly parkedRuns: ParkedRuns;
  readonly toolbox: Pick<Toolbox, 'readArguments'>;
}

export interface Asked {
  readonly caller: ScopeHolder & { readonly tenant: string };
  readonly runId: string;
  readonly toolCallId: string;
  readonly signal: AbortSignal;
}

const maxReasonChars = 2_000;
const argumentBounds = { maxChars: 100_000, maxDepth: 50 };

export interface ApprovalDecision {
  readonly approve: boolean;
  readonly arguments: unknown;
  readonly reason: string | null;
  /** The question about the call that is answered; left out: the newest. */
  readonly round?: number;
}

/** A person's word on a call, from any instance, once: with changed arguments, where these satisfy the tool's schema. */
export async function resolveApproval(
  services: AnswerServices,
  asked: Asked,
  decision: ApprovalDecision,
): Promise<RunRecord> {
  const { approve, arguments: changed, reason } = decision;
  checkText(reason, 'reason');
  if (!approve && changed != null) throw bad('arguments can be changed only by an approval; approve is false.');
  if (approve && reason !== null) throw bad('reason is for a rejection; approve is true.');
  const call = await awaited(services, asked, 'AWAITING_APPROVAL', decision.round);
  if (!approve) return answer(services, asked, call, { type: 'rejected', reason });
  const args = changed == null ? null : await changedArguments(services, asked, call, changed);
  return answer(services, asked, call, { type: 'approved', arguments: args });
}

/** The app's answer to a client tool, from any instance, once. `result: undefined`: an error is given instead. */
export async function submitToolResult(
  services: AnswerServices,
  asked: Asked,
  given: { readonly result: unknown; readonly error: string | null; readonly maxChars: number },
): Promise<RunRecord> {
  const { result, error, maxChars } = given;
  if ((result === undefined) === (error === null)) {
    throw bad(`exactly one of result and error must be given, got ${error === null ? 'neither' : 'both'}.`);
  }
  checkText(error, 'error');
  if (result !== undefined) assertStorableJson(result, 'result', { maxChars, maxDepth: 50 });
  const call = await awaited(services, asked, 'AWAITING_TOOL_RESULT');
  return answer(
    services,
    asked,
    call,
    error === null ? { type: 'result', value: result as Json } : { type: 'error', message: error }, // just checked
  );
}

/** The newest question about the call, or that of the round; refused when it was answered, or waits for another kind of answer. */
async function awaited(
  { runs, parkedRuns }: AnswerServices,
  { caller, runId, toolCallId, signal }: Asked,
  awaits: ParkedStatus,
  round?: number,
): Promise<AwaitedCallRecord> {
  const key: RunKey = { tenant: caller.tenant, runId };
  const run = await runs.find(key, signal);
  if (run === null) throw runNotFound(runId);
  assertSeesKind(caller, run.kind);
  const call = (await parkedRuns.calls(key)).findLast(
    (each) => each.callId === toolCallId && (round === undefined || each.round === round),
  );
  if (call === undefined) throw unknownCall(runId, toolCallId);
  if (call.awaits !== awaits) {
    const mutation = call.awaits === 'AWAITING_APPROVAL' ? 'resolveApproval' : 'submitToolResult';
    throw bad(`toolCallId must be a call that this mutation answers; ${call.tool} is answered by ${mutation}.`);
  }
  if (call.answer !== null) throw answeredBefore(call.tool);
  return call;
}

async function changedArguments(
  { toolbox }: AnswerServices,
  { signal }: Asked,
  { tool, parameters, reason }: AwaitedCallRecord,
  changed: unknown,
): Promise<Readonly<Record<string, Json>>> {
  if (reason !== null) throw bad(`arguments must be left out: ${reason} It can only be called again as it was.`);
  assertStorableJson(changed, 'arguments', argumentBounds);
  const reading = await toolbox.readArguments({ name: tool, parameters }, JSON.stringify(changed), signal);
  if (reading.ok) return reading.value;
  throw bad(reading.fault);
}

async function answer(
  { runs, parkedRuns }: AnswerServices,
  { caller, runId, toolCallId, signal }: Asked,
  { round, tool }: AwaitedCallRecord,
  given: CallAnswer,
): Promise<RunRecord> {
  const key: RunKey = { tenant: caller.tenant, runId };
  const outcome = await parkedRuns.answer(key, toolCallId, round, given);
  if (outcome === 'unknown') throw unknownCall(runId, toolCallId);
  if (outcome === 'already') throw answeredBefore(tool);
  if (outcome === 'ended')
    throw new GatewayError('CONFLICT', `The run has ended: its call of ${tool} takes no answer.`);
  runs.answered(key);
  const run = await runs.find(key, signal);
  if (run === null) throw runNotFound(runId);
  return run;
}

function checkText(text: string | null, name: string): void {
  if (text === null) return;
  if (text.length > maxReasonChars)
    throw bad(`${name} must be at most ${maxReasonChars} characters, got ${text.length}.`);
  assertStorable(text, name);
}

const bad = (message: string): GatewayError => new GatewayError('BAD_INPUT', message);

const unknownCall = (runId: string, toolCallId: string): GatewayError =>
  new GatewayError(
    'NOT_FOUND',
    `Run ${runId} has asked about no tool call ${JSON.stringify(toolCallId.slice(0, 100))}.`,
  );

export const answeredBefore = (tool: string): GatewayError =>
  new GatewayError('CONFLICT', `The call of ${tool} was answered before: an answer is given once.`);
