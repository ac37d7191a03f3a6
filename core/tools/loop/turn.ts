import type { Json } from '../../contracts/filter.ts';
import type { ChatMessage, FinishReason, ToolChoice, ToolDefinition } from '../../contracts/model-provider.ts';
import type { RunEvent, ToolCallRecord } from '../../contracts/run-event.ts';
import type { RunIo } from '../../runs/live-run.ts';

/** What a model is asked in one turn of a loop. */
export interface TurnRequest {
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly ToolDefinition[];
  readonly toolChoice: ToolChoice;
}

/** What a model said in one turn: JSON, so that the turn need not be made again. */
export type Turn = {
  /** As the model wrote it, and is told it again. */
  readonly text: string;
  /** With ids that are unique in the run. */
  readonly toolCalls: readonly { readonly id: string; readonly tool: string; readonly arguments: string }[];
  readonly finishReason: FinishReason;
  readonly model: string;
  /** What whoever generates must know of the turn to go on after it elsewhere. */
  readonly said: Json;
};

/** A turn and what became of its calls; those that wait for an answer have no result. */
export interface TakenTurn {
  readonly turn: Turn;
  readonly calls: readonly ToolCallRecord[];
}

/** Says what no earlier attempt has said. */
export function sayOnce(io: Pick<RunIo, 'begun' | 'emit'>, event: RunEvent): void {
  if (!io.begun.hasSaid(event)) io.emit(event);
}
