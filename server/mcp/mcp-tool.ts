import type { z } from 'zod';
import type { Context } from '../../context.ts';
import type { Scope } from '../../core/contracts/api-key-store.ts';
import type { JsonSchema } from '../../core/contracts/tool.ts';
import type { ServerContext } from '../app.ts';

/** A tool as clients of MCP see it. */
export interface McpToolDescription {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: JsonSchema;
  readonly outputSchema: JsonSchema;
  readonly annotations: {
    readonly readOnlyHint: boolean;
    readonly destructiveHint: boolean;
    readonly idempotentHint: boolean;
    readonly openWorldHint: boolean;
  };
}

/** One call of a tool. */
export interface McpCall {
  readonly server: ServerContext;
  /** The caller's context, as a resolver is given it. Its signal fires when the call is cancelled, or nobody waits for it any more. */
  readonly context: Context;
  /** Of the run that the call starts: the same for one request of one session, so that it is found again to be cancelled. */
  readonly runId: string;
  /** How far it is; never goes back. Cheap: clients that asked for no progress are sent none. */
  readonly progress: (progress: Progress) => void;
}

export interface Progress {
  readonly done: number;
  readonly total?: number;
  readonly message: string;
}

export interface McpToolResult {
  readonly structured: Readonly<Record<string, unknown>>;
  /** For models whose client hands them no structured content. */
  readonly text: string;
  /** The tool ran, and this is what it failed with. */
  readonly isError?: boolean;
}

export interface McpTool extends McpToolDescription {
  /** Whoever has one of these may call it and sees it; null: anybody, and what it does is decided field by field. */
  readonly scopes: readonly Scope[] | null;
  call(args: unknown, call: McpCall): Promise<McpToolResult>;
}

/** A tool whose arguments zod reads: what reaches `run` is typed. */
export interface TypedTool<Input extends z.ZodType> extends Omit<McpTool, 'inputSchema' | 'outputSchema' | 'call'> {
  readonly input: Input;
  readonly output: z.ZodType;
  run(args: z.output<Input>, call: McpCall): Promise<McpToolResult>;
}
