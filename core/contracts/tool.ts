import type { Json } from './filter.ts';
import type { Usage } from './usage.ts';

/** A JSON Schema of an object: what a model, or an app, must hand to a tool. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export type ToolSource = 'BUILTIN' | 'MCP' | 'CLIENT';

/** A tool as models and people see it. Of a client tool this is all there is: the app runs it. */
export interface ToolDescription {
  /** Unique in the gateway, and fit for every provider: [A-Za-z0-9_-], at most 64 characters. */
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonSchema;
  /** A person must allow each call. */
  readonly requiresApproval: boolean;
  readonly source: ToolSource;
}

/**
 * A tool that the gateway runs itself. Arguments have been validated against `parameters` before `call`. What `call` throws
 * is a failed call, told to the model and recorded; only an abort of `io.signal` ends the run.
 */
export interface Tool extends ToolDescription {
  readonly source: 'BUILTIN' | 'MCP';
  /** False: calling it again does no harm. True: a call whose outcome is unknown is not made again unasked. */
  readonly changesWorld: boolean;
  /** Milliseconds for one call. */
  readonly timeoutMs: number;
  /** What `value` of a result must satisfy; null: anything. */
  readonly resultSchema: JsonSchema | null;
  call(args: Readonly<Record<string, Json>>, io: ToolIo): Promise<ToolResult>;
}

export interface ToolIo {
  readonly tenant: string;
  /** The API key that pays; null: the gateway runs open, or by its static key. */
  readonly keyId: string | null;
  readonly runId: string;
  /** The same for one call in every attempt of its run, and of no other call: for services that do nothing twice. */
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
  /** What the call itself spends on models counts here. */
  readonly spend: (usage: Usage) => void;
}

export interface ToolResult {
  /** What the model is told, and the log shows. */
  readonly value: Json;
  /** Passages that the result rests on: an output may cite them. */
  readonly sources?: readonly ToolSourcePassage[];
}

/** A type, not an interface: as such it is Json, and can be kept as it is. */
export type ToolSourcePassage = {
  readonly passageId: string;
  readonly title: string | null;
  readonly url: string | null;
  readonly text: string;
};

/** Where tools come from: the built-in ones, or a server that may add and remove some at any time. */
export interface ToolProvider {
  /** As they are now; cheap. */
  tools(): readonly Tool[];
}
