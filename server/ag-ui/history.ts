import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { Attachment } from '../../core/contracts/model-provider.ts';
import { readCallId } from './call-ids.ts';
import { contentOf, resultText } from './content-parts.ts';
import type { InputMessage, RunAgentInput } from './run-agent-input.ts';

export interface Said {
  readonly role: 'SYSTEM' | 'USER' | 'ASSISTANT' | 'TOOL';
  readonly text: string;
  readonly attachments: readonly Attachment[];
  readonly toolCalls?: readonly { readonly id: string; readonly tool: string; readonly arguments: unknown }[];
  readonly toolCallId?: string;
}

type ToolMessage = Extract<InputMessage, { role: 'tool' }>;
/** By the call that each answers. */
type Results = Map<string, { readonly message: ToolMessage; readonly path: string }>;

/**
 * The messages as the history of a chat. Behind each assistant message stand the results of its calls, wherever they stood: that is how
 * models take them. A call that nobody answered, as an aborted run leaves some, is left out, for models take none.
 */
export function saidIn(messages: RunAgentInput['messages']): Said[] {
  const results: Results = new Map();
  for (const [index, message] of messages.entries()) {
    if (message.role === 'tool') results.set(message.toolCallId, { message, path: `messages[${index}]` });
  }
  const said = messages.flatMap((message, index) => saidOf(message, `messages[${index}]`, results));
  const [stray] = results.values();
  if (stray === undefined) return said;
  throw new GatewayError(
    'BAD_INPUT',
    `${stray.path}.toolCallId must be a call of an assistant message, got ${JSON.stringify(stray.message.toolCallId.slice(0, 100))}.`,
  );
}

function saidOf(message: InputMessage, path: string, results: Results): Said[] {
  switch (message.role) {
    case 'user':
      return [{ role: 'USER', ...contentOf(message.content, `${path}.content`) }];
    case 'assistant':
      return turnOf(message, results);
    case 'system':
    case 'developer':
      return [{ role: 'SYSTEM', text: message.content, attachments: [] }];
    case 'tool':
    case 'reasoning':
    case 'activity':
      return []; // told with its call; what the client shows beside the conversation
  }
}

/** Takes the results of its calls. */
function turnOf({ content, toolCalls }: Extract<InputMessage, { role: 'assistant' }>, results: Results): Said[] {
  const answered = (toolCalls ?? []).flatMap(({ id, function: called }) => {
    const result = results.get(id);
    results.delete(id);
    return result === undefined ? [] : [{ id: ownId(id), called, result }];
  });
  const text = content ?? '';
  if (answered.length === 0)
    return text === '' && (toolCalls ?? []).length > 0 ? [] : [{ role: 'ASSISTANT', text, attachments: [] }];
  return [
    {
      ...{ role: 'ASSISTANT', text, attachments: [] },
      toolCalls: answered.map(({ id, called }) => ({
        id,
        tool: called.name,
        arguments: writtenJson(called.arguments),
      })),
    },
    ...answered.map(
      ({ id, result: { message } }): Said => ({
        ...{ role: 'TOOL', attachments: [], toolCallId: id },
        text: message.error || resultText(message.content ?? ''),
      }),
    ),
  ];
}

/** Models bound the length of ids: to them the call has the one that its model gave it. */
const ownId = (id: string): string => readCallId(id)?.callId ?? id;

/** As an object, which is all that models take: what a model wrote otherwise stands in it as it was written. */
function writtenJson(written: string): unknown {
  try {
    const value: unknown = written.trim() === '' ? {} : JSON.parse(written);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // It is told all the same: its result says that nobody understood it.
  }
  return { written };
}
