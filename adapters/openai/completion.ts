import type { Completion } from '../../core/contracts/model-provider.ts';
import { expectedToolCalls, readToolCalls } from './tool-call-reader.ts';
import { isRecord, malformed, type Upstream } from './upstream.ts';
import { finishReason, optionalText, readBody, tokenCount } from './wire-reply.ts';

/** The body of a reply that was not streamed. */
export function readCompletion(text: string, upstream: Upstream): Completion {
  const body = readBody(text, upstream);
  const choice: unknown = Array.isArray(body['choices']) ? body['choices'][0] : undefined;
  if (!isRecord(choice) || !isRecord(choice['message'])) throw malformed(upstream, '`choices[0].message`', text);
  const reply = optionalText(choice['message']['content'] ?? choice['message']['refusal']);
  if (reply === undefined) throw malformed(upstream, 'text in `message.content`', text);
  const toolCalls = readToolCalls(choice['message']['tool_calls']);
  if (toolCalls === null) throw malformed(upstream, expectedToolCalls, text);
  const reason = finishReason(choice['finish_reason']);
  if (reason === undefined) {
    const came = JSON.stringify(choice['finish_reason']) ?? 'none';
    throw malformed(upstream, '`finish_reason` stop, length, tool_calls or content_filter', came);
  }
  const tokens = tokenCount(body['usage']);
  if (toolCalls.length === 0) return { text: reply, finishReason: reason, tokens };
  // Some servers say `stop` behind a tool call.
  return { text: reply, toolCalls, finishReason: reason === 'STOP' ? 'TOOL_CALLS' : reason, tokens };
}
