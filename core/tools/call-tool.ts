import type { ResponseSchemas } from '../chat/response-schemas.ts';
import type { Json } from '../contracts/filter.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { Logger } from '../contracts/logger.ts';
import type { Tool, ToolIo, ToolResult, ToolSourcePassage } from '../contracts/tool.ts';
import { untilAborted } from '../models/calls/abortable.ts';
import { boundedJson } from './bounded-json.ts';
import type { ToolArguments } from './read-arguments.ts';

/** What became of a call: JSON, so that it can be kept as it is and need not be made again. */
export type ToolOutcome = {
  readonly status: 'SUCCEEDED' | 'FAILED';
  /** What the model is told and the log shows; of a failed call `{ error }`. */
  readonly value: Json;
  readonly sources: readonly ToolSourcePassage[];
};

export interface CallBounds {
  readonly timeoutMs: number;
  /** Characters of JSON, of the value and of the sources each. */
  readonly maxResultChars: number;
}

const maxErrorChars = 1_000;

/**
 * One call of one tool, with arguments that have been validated. Whatever the tool does — throws, hangs, returns 50 MB or what its
 * schema forbids — comes back as a failed call within the bounds; only an abort of `io.signal` rejects, with its reason.
 */
export async function callTool(
  services: { readonly schemas: ResponseSchemas; readonly logger: Logger },
  tool: Tool,
  args: ToolArguments,
  bounds: CallBounds,
  io: ToolIo,
): Promise<ToolOutcome> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), bounds.timeoutMs);
  const signal = AbortSignal.any([io.signal, late.signal]);
  try {
    io.signal.throwIfAborted();
    // A tool that throws before its first await is no different from one that rejects.
    const calling = Promise.resolve().then(() => tool.call(args, { ...io, signal }));
    const result = await untilAborted(calling, signal);
    return await outcomeOf(services.schemas, tool, result, bounds, io.signal);
  } catch (error) {
    io.signal.throwIfAborted();
    if (late.signal.aborted) return failed(`${tool.name} gave no result within ${bounds.timeoutMs} ms.`);
    if (error instanceof GatewayError && error.code !== 'INTERNAL') return failed(error.message);
    // Its words were written for whoever runs the gateway, and may hold what a model must not see.
    services.logger.warn({ error, tool: tool.name, runId: io.runId }, 'a tool failed');
    return failed(`${tool.name} failed.`);
  } finally {
    clearTimeout(timer);
  }
}

export const failed = (error: string): ToolOutcome => ({
  status: 'FAILED',
  value: { error: error.toWellFormed().replaceAll('\u0000', '\uFFFD').slice(0, maxErrorChars) },
  sources: [],
});

async function outcomeOf(
  schemas: ResponseSchemas,
  { name, resultSchema }: Tool,
  result: ToolResult,
  { maxResultChars }: CallBounds,
  signal: AbortSignal,
): Promise<ToolOutcome> {
  const value = boundedJson(result?.value ?? null, maxResultChars);
  if (!value.ok) return failed(`The result of ${name} ${value.why}, and was dropped.`);
  const sources = boundedJson(result?.sources ?? [], maxResultChars);
  if (!sources.ok) return failed(`The result of ${name} was dropped, since the list of its sources ${sources.why}.`);
  if (resultSchema !== null) {
    const check = await schemas.check(
      resultSchema,
      JSON.stringify(value.value),
      signal,
      `the result schema of ${name}`,
    );
    if (!check.ok) return failed(`${name} returned what its schema forbids: ${check.faults.join('; ')}.`);
  }
  return {
    status: 'SUCCEEDED',
    value: value.value,
    sources: sources.value as unknown as readonly ToolSourcePassage[], // a copy of what the contract says
  };
}
