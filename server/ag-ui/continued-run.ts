import { isDeepStrictEqual } from 'node:util';
import type { Caller } from '../../core/access/caller.ts';
import { assertSeesKind, type ScopeHolder } from '../../core/access/scopes.ts';
import type { RunKey } from '../../core/contracts/event-log.ts';
import type { AwaitedCallRecord, CallAnswer } from '../../core/contracts/parked-runs.ts';
import type { RunRecord } from '../../core/contracts/run-store.ts';
import { runNotFound } from '../../core/runs/run-error.ts';
import type { Services } from '../../core/services.ts';
import { answeredBefore, resolveApproval, submitToolResult } from '../../core/tools/answer-call.ts';
import type { Answers, Decision } from './answers.ts';

/** A run of the gateway that several runs of AG-UI tell, each from where the one before it ended. */
export interface ContinuedRun {
  readonly run: RunRecord;
  /** The parking that ended the stream before this one. */
  readonly after: number;
}

const pageSize = 500;

/**
 * Gives the answers to the run that they are for, each once: a request that is sent again finds them given, and follows from the same
 * place. Null: no call of a stored run waits for them, so they are what was said, and a run begins with it.
 */
export async function continueRun(
  services: Services,
  caller: Caller & ScopeHolder,
  answers: Answers,
  signal: AbortSignal,
): Promise<ContinuedRun | null> {
  const key: RunKey = { tenant: caller.tenant, runId: answers.runId };
  const run = await services.runs.find(key, signal);
  if (run === null || !run.stored) {
    if (answers.decisions.length > 0) throw runNotFound(answers.runId);
    return null;
  }
  assertSeesKind(caller, run.kind);
  const asked = await services.parkedRuns.calls(key);
  // What the gateway's own tools returned stands among the tool messages too.
  const results = answers.results.filter(({ callId }) =>
    asked.some((call) => call.callId === callId && call.awaits === 'AWAITING_TOOL_RESULT'),
  );
  if (answers.decisions.length + results.length === 0) return null;
  const answerTo = (callId: string, round: number) => asked.find(isOf(callId, round))?.answer ?? null;
  const isGiven = (callId: string, round: number) => answerTo(callId, round) !== null;
  for (const decision of answers.decisions) {
    const { callId, round } = decision;
    const given = answerTo(callId, round);
    // A refusal that came too late must not look as if it had been heard.
    if (given !== null && !isSame(given, decision)) throw answeredBefore(asked.find(isOf(callId, round))?.tool ?? '');
  }
  for (const decision of answers.decisions) {
    const to = { caller, runId: run.runId, toolCallId: decision.callId, signal };
    if (!isGiven(decision.callId, decision.round)) await resolveApproval(services, to, decision);
  }
  const maxChars = services.limits.maxToolResultChars;
  for (const { callId, value: result, error } of results) {
    const to = { caller, runId: run.runId, toolCallId: callId, signal };
    if (!isGiven(callId, 1)) await submitToolResult(services, to, { result, error, maxChars });
  }
  const answered = new Set([...answers.decisions, ...results].map(({ callId }) => callId));
  return { run, after: await parkingOf(services, run, answered) };
}

const isOf = (callId: string, round: number) => (call: AwaitedCallRecord) =>
  call.callId === callId && call.round === round;

/** Whatever reasons were given. */
function isSame(given: CallAnswer, { approve, arguments: args }: Decision): boolean {
  if (given.type !== 'approved') return !approve;
  return approve && isDeepStrictEqual(given.arguments, args);
}

/** The first parking behind the newest question about one of the calls; that question, where it was answered before the run parked. */
async function parkingOf({ runs }: Services, run: RunRecord, callIds: ReadonlySet<string>): Promise<number> {
  let asked = 0;
  let parked: number | null = null;
  for (let after = 0; ; ) {
    const { events, lastSeq } = await runs.log.read(run, after, pageSize);
    for (const { seq, event } of events) {
      const isQuestion =
        (event.type === 'ApprovalRequested' && callIds.has(event.toolCall.id)) ||
        (event.type === 'ToolCallEnded' && callIds.has(event.toolCallId));
      if (isQuestion) [asked, parked] = [seq, null];
      else if (event.type === 'RunParked' && asked > 0) parked ??= seq;
    }
    after = events.at(-1)?.seq ?? lastSeq;
    if (after >= lastSeq) return parked ?? asked;
  }
}
