import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { ChatMessage, ChatRequest } from '../../core/contracts/model-provider.ts';
import { type ContentPart, contentPart } from './content-part.ts';
import { isRecord } from './upstream.ts';
import { wireToolCall, wireTools } from './wire-tools.ts';

/**
 * What limits the output is called `max_completion_tokens` by OpenAI, whose reasoning models reject the older `max_tokens`;
 * many compatible servers know only `max_tokens` and silently ignore a field that they don't know: no limit at all.
 */
export type OutputLimitField = 'max_completion_tokens' | 'max_tokens';

interface WireMessage {
  readonly role: string;
  /** Null: an ASSISTANT message that only asked for tools. */
  readonly content: string | readonly ContentPart[] | null;
  readonly tool_calls?: readonly unknown[];
  readonly tool_call_id?: string;
}

/** The body of POST /chat/completions. */
export function chatBody(
  request: ChatRequest,
  stream: boolean,
  outputLimitField: OutputLimitField,
): Record<string, unknown> {
  const { temperature, topP, stop, seed, reasoningEffort, maxOutputTokens, responseSchema, providerOptions } = request;
  return {
    ...providerOptions,
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(stop === undefined || stop.length === 0 ? {} : { stop }),
    ...(seed === undefined ? {} : { seed }),
    ...(reasoningEffort === undefined ? {} : { reasoning_effort: reasoningEffort.toLowerCase() }),
    ...(maxOutputTokens === undefined ? {} : { [outputLimitField]: maxOutputTokens }),
    ...(responseSchema === undefined ? {} : { response_format: responseFormat(responseSchema) }),
    ...wireTools(request),
    model: request.model,
    messages: request.messages.map(wireMessage),
    stream,
    ...streamOptions(stream, providerOptions),
  };
}

/** No `strict`: it refuses most schemas that are valid (optional properties, formats); core checks the reply in any case. */
function responseFormat(schema: Readonly<Record<string, unknown>>) {
  return { type: 'json_schema', json_schema: { name: 'reply', schema } };
}

/** Without `include_usage` a streamed call is never counted; without a stream the field is an error. */
function streamOptions(stream: boolean, providerOptions: ChatRequest['providerOptions']) {
  if (!stream) return { stream_options: undefined };
  const given = providerOptions?.['stream_options'];
  return { stream_options: { ...(isRecord(given) ? given : {}), include_usage: true } };
}

function wireMessage(message: ChatMessage, index: number): WireMessage {
  const attachments = message.attachments ?? [];
  const { text, toolCallId, toolCalls = [] } = message;
  const role = message.role.toLowerCase();
  if (message.role === 'TOOL') {
    if (toolCallId !== undefined) return { role, content: text, tool_call_id: toolCallId };
    throw new GatewayError(
      'BAD_INPUT',
      `messages[${index}] is a TOOL message: it needs the toolCallId that it answers`,
    );
  }
  if (message.role === 'ASSISTANT' && toolCalls.length > 0) {
    return { role, content: text === '' ? null : text, tool_calls: toolCalls.map(wireToolCall) };
  }
  if (attachments.length === 0) return { role, content: text };
  if (message.role !== 'USER') {
    throw new GatewayError(
      'BAD_INPUT',
      `messages[${index}].attachments must be on a USER message, got ${message.role}`,
    );
  }
  const parts = attachments.map((attachment, position) =>
    contentPart(attachment, `messages[${index}].attachments[${position}]`),
  );
  return { role, content: text === '' ? parts : [{ type: 'text', text }, ...parts] };
}
