import { randomUUID } from 'node:crypto';
import type { AskedTool, Behaviour, WireChat } from './behaviour.ts';
import type { VendorCall } from './journal.ts';
import { jsonFor } from './json-for.ts';

export interface WireToolCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}

/** What the vendor asks for: what it was told to, else what the request forces it to. */
export function toolCallsOf(request: WireChat, { toolCalls }: Behaviour, call: VendorCall): readonly WireToolCall[] {
  const asked = typeof toolCalls === 'function' ? toolCalls(request, call) : (toolCalls ?? forced(request));
  return asked.map(({ id, name, arguments: args }) => ({
    id: id ?? `call_${randomUUID()}`,
    type: 'function',
    function: { name, arguments: typeof args === 'string' ? args : JSON.stringify(args) },
  }));
}

function forced({ tools, tool_choice: choice }: WireChat): readonly AskedTool[] {
  const name = typeof choice === 'object' ? choice.function.name : tools?.[0]?.function.name;
  if (name === undefined || choice === undefined || choice === 'auto' || choice === 'none') return [];
  const parameters = tools?.find((tool) => tool.function.name === name)?.function.parameters;
  return [{ name, arguments: jsonFor(parameters) as Record<string, unknown> }]; // of a schema of an object
}

/** As OpenAI streams them: the first piece names the call, the arguments follow in small pieces; parallel calls take turns. */
export function toolCallDeltas(calls: readonly WireToolCall[]): readonly object[] {
  const heads = calls.map(({ id, type, function: { name } }, index) => ({
    ...{ index, id, type },
    function: { name, arguments: '' },
  }));
  const pieces = calls.map(({ function: called }, index) =>
    (called.arguments.match(/.{1,8}/gs) ?? []).map((text) => ({ index, function: { arguments: text } })),
  );
  const longest = Math.max(0, ...pieces.map((of) => of.length));
  const turns = Array.from({ length: longest }, (_, turn) => pieces.flatMap((of) => of[turn] ?? []));
  return [...heads, ...turns.flat()];
}
