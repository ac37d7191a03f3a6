import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { ChatMessage, ChatRequest } from '../../core/contracts/model-provider.ts';
import { type ContentPart, contentPart } from './content-part.ts';
import { isRecord } from './upstream.ts';

/**
 * What limits the output is called `max_completion_tokens` by OpenAI, whose reasoning models reject the older `max_tokens`;
 * many compatible servers know only `max_tokens` and silently ignore a field that they don't know: no limit at all.
 */
export type OutputLimitField = 'max_completion_tokens' | 'max_tokens';

interface WireMessage {
  readonly role: string;
  readonly content: string | readonly ContentPart[];
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
  if (message.role === 'TOOL') {
    throw new GatewayError(
      'BAD_INPUT',
      `messages[${index}].role must be SYSTEM, USER or ASSISTANT, got TOOL: this provider needs the tool call that it answers`,
    );
  }
  const role = message.role.toLowerCase();
  if (attachments.length === 0) return { role, content: message.text };
  if (message.role !== 'USER') {
    throw new GatewayError(
      'BAD_INPUT',
      `messages[${index}].attachments must be on a USER message, got ${message.role}`,
    );
  }
  const parts = attachments.map((attachment, position) =>
    contentPart(attachment, `messages[${index}].attachments[${position}]`),
  );
  return { role, content: message.text === '' ? parts : [{ type: 'text', text: message.text }, ...parts] };
}
