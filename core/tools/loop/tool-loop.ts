import pLimit from 'p-limit';
import type { ChatMessage, FinishReason, ToolChoice, ToolDefinition } from '../../contracts/model-provider.ts';
import type { ToolCallRecord } from '../../contracts/run-event.ts';
import type { ParkedStatus } from '../../contracts/run-store.ts';
import type { ToolDescription } from '../../contracts/tool.ts';
import type { RunIo } from '../../runs/live-run.ts';
import { resultText } from '../result-text.ts';
import type { SourceNumbers } from '../source-numbers.ts';
import type { Toolbox } from '../toolbox.ts';
import { type CallOutcome, recordOf, refusal, Waits } from './call-outcome.ts';
import { carryOut, writtenArguments } from './carry-out.ts';
import { sayOnce, type TakenTurn, type Turn, type TurnRequest } from './turn.ts';
import { breakOff } from './written-calls.ts';

export interface LoopBounds {
  /** Model calls; in the last one no tools may be called. */
  readonly maxTurns: number;
  /** Calls of one turn that are made at the same time. */
  readonly maxParallel: number;
}

export interface LoopTask {
  /** Begins the keys of this loop's checkpoints: unique among the loops of a run, and the same in every attempt. */
  readonly key: string;
  readonly step: string | null;
  /** What may be called, and nothing else. */
  readonly tools: readonly ToolDescription[];
  /** Of the first turn: what a model is forced to do, it is forced to once. */
  readonly toolChoice: ToolChoice;
  readonly messages: readonly ChatMessage[];
  readonly bounds: LoopBounds;
  /** Nothing new may be spent: calls that were not made yet are refused. Left out: no such bound. */
  isSpent?(): boolean;
  /** The sources of results are added to these. */
  readonly numbers: SourceNumbers;
  /** Asks the model, and says what it says. Not called for turns of earlier attempts. */
  generate(request: TurnRequest, turn: number): Promise<Turn>;
  /** Each turn as it is there, also those of earlier attempts. */
  onTurn?(turn: Turn): void;
  /** Each state of each call, for whoever shows them. */
  onCall?(call: ToolCallRecord): void;
}

export interface LoopEnd {
  readonly turns: readonly TakenTurn[];
  /** What was asked first, and all that was said and answered since. */
  readonly messages: readonly ChatMessage[];
  /** LENGTH: the bound of turns ended it. TOOL_CALLS: the app has to go on from here, since the run cannot wait. */
  readonly finishReason: FinishReason;
  /** Not null: calls wait for an answer, and the loop goes on in the next attempt. */
  readonly parked: ParkedStatus | null;
}

/** More calls than this in one turn are a model that has lost its way. */
const maxCallsOfTurn = 32;
/** So many turns of nothing but faults, and the model has to do without tools. */
const maxFaultyTurns = 3;

/**
 * A model that may call tools until it has its answer. Every model call and every tool call is kept, so that the next attempt goes on
 * where the last one stopped.
 */
export async function toolLoop(services: { readonly toolbox: Toolbox }, task: LoopTask, io: RunIo): Promise<LoopEnd> {
  const { bounds } = task;
  const definitions = task.tools.map(definitionOf);
  const messages = [...task.messages];
  const turns: TakenTurn[] = [];
  let faultyTurns = 0;
  for (let number = 1; ; number += 1) {
    const isLast = number >= bounds.maxTurns || faultyTurns >= maxFaultyTurns;
    const wanted = number === 1 ? task.toolChoice : 'auto';
    const request = { messages: [...messages], tools: definitions, toolChoice: isLast ? ('none' as const) : wanted };
    const turn = await io.once(`${task.key}turn ${number}`, () => {
      closeAbandoned(task, turns, io);
      return task.generate(request, number);
    });
    task.onTurn?.(turn);
    const { text, toolCalls, finishReason } = turn;
    if (toolCalls.length === 0 || isLast) {
      for (const call of toolCalls) tooLate(task, call, io);
      turns.push({ turn, calls: [] });
      messages.push({ role: 'ASSISTANT', text });
      return { turns, messages, finishReason: toolCalls.length > 0 ? 'LENGTH' : finishReason, parked: null };
    }
    messages.push({ role: 'ASSISTANT', text, toolCalls });
    const ends = await callAll(services.toolbox, task, toolCalls, io);
    turns.push({ turn, calls: ends.map(({ record }) => record) });
    const waits = ends.flatMap(({ waits }) => waits ?? []);
    if (waits.length > 0) {
      if (io.questions === null) return { turns, messages, finishReason: 'TOOL_CALLS', parked: null };
      const parked = waits.includes('AWAITING_APPROVAL') ? 'AWAITING_APPROVAL' : 'AWAITING_TOOL_RESULT';
      return { turns, messages, finishReason: 'TOOL_CALLS', parked };
    }
    for (const { record, outcome } of ends) {
      if (outcome === null) continue;
      task.numbers.add(outcome.sources);
      messages.push({ role: 'TOOL', toolCallId: record.id, text: resultText(record.tool, outcome, task.numbers) });
    }
    faultyTurns = ends.every(({ outcome }) => outcome?.isFault) ? faultyTurns + 1 : 0;
  }
}

interface CallEnd {
  readonly record: ToolCallRecord;
  /** Null: it waits. */
  readonly outcome: CallOutcome | null;
  readonly waits: ParkedStatus | null;
}

/** All at the same time, within the bound; in the order in which the model asked. */
async function callAll(toolbox: Toolbox, task: LoopTask, calls: Turn['toolCalls'], io: RunIo): Promise<CallEnd[]> {
  const { key } = task;
  const isSpent = () => task.isSpent?.() ?? false;
  const onCall = (call: ToolCallRecord) => task.onCall?.(call);
  const tools = new Map(task.tools.map((tool) => [tool.name, tool]));
  const limit = pLimit(task.bounds.maxParallel);
  const ends = await Promise.allSettled(
    calls.map((call, index) =>
      limit(async (): Promise<CallEnd> => {
        const { id, tool } = call;
        onCall({ id, tool, arguments: writtenArguments(call), result: null, status: 'PENDING' });
        try {
          const outcome =
            index < maxCallsOfTurn
              ? await carryOut({ toolbox, io, key, tools, isSpent, onCall }, call)
              : tooMany(call, io);
          const record = recordOf(call, outcome);
          onCall(record);
          return { record, outcome, waits: null };
        } catch (error) {
          if (!(error instanceof Waits)) throw error;
          const status = error.status === 'AWAITING_APPROVAL' ? error.status : 'PENDING';
          return {
            record: { id, tool, arguments: error.arguments, result: null, status },
            outcome: null,
            waits: error.status,
          };
        }
      }),
    ),
  );
  // What fails here ends the run. The others have come to their end by then: nothing goes on behind it.
  return ends.map((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });
}

function tooMany(call: Turn['toolCalls'][number], io: RunIo): CallOutcome {
  const fault = `At most ${maxCallsOfTurn} tools can be called at once; this call was not made.`;
  const outcome = refusal(fault, writtenArguments(call), true);
  sayOnce(io, { type: 'ToolCallEnded', toolCallId: call.id, arguments: outcome.arguments });
  sayOnce(io, { type: 'ToolCallResult', toolCallId: call.id, toolStatus: 'FAILED', result: outcome.value });
  return outcome;
}

/** The model was told that it must not call, and did. */
function tooLate(task: LoopTask, call: Turn['toolCalls'][number], io: RunIo): void {
  const { maxTurns } = task.bounds;
  const result = { error: `No tools can be called any more after ${maxTurns} turns; this call was not made.` };
  sayOnce(io, { type: 'ToolCallEnded', toolCallId: call.id, arguments: writtenArguments(call) });
  sayOnce(io, { type: 'ToolCallResult', toolCallId: call.id, toolStatus: 'FAILED', result });
  const { id, tool } = call;
  task.onCall?.({ id, tool, arguments: writtenArguments(call), result, status: 'FAILED' });
}

/** An attempt that died while its model wrote has left calls in the log that are in no turn. */
function closeAbandoned({ step }: LoopTask, turns: readonly TakenTurn[], io: RunIo): void {
  const kept = new Set(turns.flatMap(({ turn }) => turn.toolCalls.map(({ id }) => id)));
  for (const [id, ofStep] of io.begun.toolCalls) if (ofStep === step && !kept.has(id)) breakOff(io, id);
}

const definitionOf = ({ name, description, parameters }: ToolDescription): ToolDefinition => ({
  name,
  description,
  parameters,
});
