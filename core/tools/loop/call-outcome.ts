import type { Json } from '../../contracts/filter.ts';
import type { ToolCallRecord } from '../../contracts/run-event.ts';
import type { ParkedStatus } from '../../contracts/run-store.ts';
import type { ToolSourcePassage } from '../../contracts/tool.ts';

/** What became of a call: JSON, so that the call need not be made again. */
export interface CallOutcome {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'REJECTED';
  /** With what it was made, or would have been; what a person changed stands here. */
  readonly arguments: Json;
  readonly value: Json;
  readonly sources: readonly ToolSourcePassage[];
  /** The model's own: there is no such tool, or the arguments do not satisfy its schema. */
  readonly isFault: boolean;
}

/** Thrown where a call cannot go on before somebody has answered. It is no failure, and nothing is kept of it. */
export class Waits extends Error {
  readonly status: ParkedStatus;
  readonly arguments: Json;

  constructor(status: ParkedStatus, args: Json) {
    super(status);
    this.status = status;
    this.arguments = args;
  }
}

export const refusal = (error: string, args: Json, isFault: boolean): CallOutcome => ({
  status: 'FAILED',
  arguments: args,
  value: { error },
  sources: [],
  isFault,
});

export function recordOf(call: { readonly id: string; readonly tool: string }, outcome: CallOutcome): ToolCallRecord {
  const { status, arguments: args, value } = outcome;
  return { id: call.id, tool: call.tool, arguments: args, result: value, status };
}
