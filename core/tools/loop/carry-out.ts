import { hash } from 'node:crypto';
import type { Json } from '../../contracts/filter.ts';
import type { ToolCallRequest } from '../../contracts/model-provider.ts';
import type { CallAnswer } from '../../contracts/parked-runs.ts';
import type { ToolCallRecord } from '../../contracts/run-event.ts';
import type { JsonSchema, ToolDescription } from '../../contracts/tool.ts';
import type { RunIo } from '../../runs/live-run.ts';
import { isWithin } from '../../text/storable-json.ts';
import type { Toolbox } from '../toolbox.ts';
import { type CallOutcome, refusal, Waits } from './call-outcome.ts';
import { sayOnce } from './turn.ts';

export interface CallParts {
  readonly toolbox: Toolbox;
  readonly io: RunIo;
  /** Of the run's checkpoints. */
  readonly key: string;
  /** What the run was given, by name; nothing else is ever called. */
  readonly tools: ReadonlyMap<string, ToolDescription & { readonly changesWorld?: boolean }>;
  /** The run has reached a limit: nothing is called any more. */
  readonly isSpent: () => boolean;
  readonly onCall: (call: ToolCallRecord) => void;
}

/**
 * One call that a model asks for, from its arguments to its result; done once in all attempts of the run. Throws `Waits` where a
 * person or the app has to answer first.
 *
 * A call that changes the world is marked before it is made. A mark without a result means that the instance died in between, and
 * nobody knows whether the world was changed: then a person is asked whether to call again.
 */
export async function carryOut(parts: CallParts, call: ToolCallRequest): Promise<CallOutcome> {
  const { io, key } = parts;
  const outcome = await io.once(`${key}call ${call.id}`, async () => {
    const done = await perform(parts, call);
    const { status: toolStatus, value: result } = done;
    sayOnce(io, { type: 'ToolCallResult', toolCallId: call.id, toolStatus, result });
    return done as unknown as Json; // an outcome is JSON; an interface only lacks the index signature
  });
  return outcome as unknown as CallOutcome;
}

async function perform(parts: CallParts, call: ToolCallRequest): Promise<CallOutcome> {
  const { toolbox, io, tools, isSpent } = parts;
  if (isSpent()) return refused(parts, call, 'A limit of the run was reached; this call was not made.');
  const tool = tools.get(call.tool);
  if (tool === undefined) {
    const known = [...tools.keys()].join(', ');
    return refused(parts, call, `There is no tool ${JSON.stringify(call.tool.slice(0, 64))}; there are ${known}.`);
  }
  const reading = await toolbox.readArguments(tool, call.arguments, io.signal);
  if (!reading.ok) return refused(parts, call, reading.fault);
  let args: Readonly<Record<string, Json>> = reading.value;
  if (tool.source === 'CLIENT') return await byTheApp(parts, call, args, tool.parameters);
  const question = new Question(parts, call, tool.parameters);
  if (tool.requiresApproval) {
    const answer = await question.ask(1, args, null);
    if (answer.type !== 'approved') return rejected(answer, args);
    args = answer.arguments ?? args;
  }
  ended(parts, call, args);
  for (let round = 1; tool.changesWorld === true && !(await isFirst(parts, call, round)); round += 1) {
    const answer = await question.ask(round + 1, args, outcomeUnknown);
    if (answer.type !== 'approved') return refusal(`${outcomeUnknown} It was not called again.`, args, false);
  }
  parts.onCall({ id: call.id, tool: call.tool, arguments: args, result: null, status: 'RUNNING' });
  const { tenant, keyId, runId } = io.run;
  const { signal, meter } = io;
  const spend = meter.addUsage.bind(meter);
  const idempotencyKey = hash('sha256', JSON.stringify([tenant, runId, call.id]), 'hex').slice(0, 32);
  const outcome = await toolbox.call(tool.name, args, { tenant, keyId, runId, idempotencyKey, signal, spend });
  return { ...outcome, arguments: args, isFault: false };
}

const outcomeUnknown = 'The gateway stopped during this call, so that its outcome is unknown.';

/** Marks that the call begins; false when an earlier attempt has. */
async function isFirst({ io, key }: CallParts, call: ToolCallRequest, round: number): Promise<boolean> {
  let isMine = false;
  await io.once(`${key}call ${call.id} begins ${round}`, async () => {
    isMine = true;
    return true;
  });
  return isMine;
}

/** The app has the result, or will have it. */
async function byTheApp(
  parts: CallParts,
  call: ToolCallRequest,
  args: Readonly<Record<string, Json>>,
  parameters: JsonSchema,
): Promise<CallOutcome> {
  const { questions } = parts.io;
  const awaits = 'AWAITING_TOOL_RESULT';
  // The question first: an app answers as soon as it hears of the call.
  await questions?.ask({
    callId: call.id,
    round: 1,
    awaits,
    tool: call.tool,
    arguments: args,
    parameters,
    reason: null,
  });
  ended(parts, call, args);
  const answer = (await questions?.answer(call.id, 1)) ?? null;
  if (answer === null) throw new Waits(awaits, args);
  if (answer.type === 'result') {
    return { status: 'SUCCEEDED', arguments: args, value: answer.value, sources: [], isFault: false };
  }
  return refusal(answer.type === 'error' ? answer.message : 'The app did not answer.', args, false);
}

/** Asks a person, in as many rounds as it takes. */
class Question {
  readonly #parts: CallParts;
  readonly #call: ToolCallRequest;
  readonly #parameters: JsonSchema;

  constructor(parts: CallParts, call: ToolCallRequest, parameters: JsonSchema) {
    this.#parts = parts;
    this.#call = call;
    this.#parameters = parameters;
  }

  async ask(round: number, args: Readonly<Record<string, Json>>, reason: string | null): Promise<CallAnswer> {
    const { io, onCall } = this.#parts;
    const { id, tool } = this.#call;
    const awaits = 'AWAITING_APPROVAL';
    const result = reason === null ? null : { error: reason };
    const toolCall = { id, tool, arguments: args, result, status: awaits } as const;
    await io.questions?.ask({ callId: id, round, awaits, tool, arguments: args, parameters: this.#parameters, reason });
    ended(this.#parts, this.#call, args);
    sayOnce(io, { type: 'ApprovalRequested', toolCall, round });
    const answer = (await io.questions?.answer(id, round)) ?? null;
    if (answer !== null) return answer;
    onCall(toolCall);
    throw new Waits(awaits, args);
  }
}

function rejected(answer: CallAnswer, args: Json): CallOutcome {
  const reason = answer.type === 'rejected' && answer.reason !== null ? `: ${answer.reason}` : '.';
  return { ...refusal(`A person rejected this call${reason}`, args, false), status: 'REJECTED' };
}

const maxDepth = 50;

/** The arguments as the model wrote them, whether they are JSON or not; as a text, too, where no log could write them out again. */
export function writtenArguments({ arguments: text }: Pick<ToolCallRequest, 'arguments'>): Json {
  try {
    const value: Json = text.trim() === '' ? {} : JSON.parse(text);
    return isWithin(value, maxDepth) ? value : text;
  } catch {
    return text;
  }
}

function refused(parts: CallParts, call: ToolCallRequest, fault: string): CallOutcome {
  const args = writtenArguments(call);
  ended(parts, call, args);
  return refusal(fault, args, true);
}

function ended({ io }: CallParts, { id }: ToolCallRequest, args: Json): void {
  sayOnce(io, { type: 'ToolCallEnded', toolCallId: id, arguments: args });
}
