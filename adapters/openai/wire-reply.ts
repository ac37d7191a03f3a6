import type { FinishReason, TokenCount } from '../../core/contracts/model-provider.ts';
import { translateSentError } from './translate-error.ts';
import { isRecord, malformed, type Upstream } from './upstream.ts';

/** OpenAI's four, its older name for tool calls, and what compatible servers say instead of stop and length. */
const finishReasons: ReadonlyMap<string, FinishReason> = new Map([
  ['stop', 'STOP'],
  ['eos', 'STOP'],
  ['eos_token', 'STOP'],
  ['stop_sequence', 'STOP'],
  ['end_turn', 'STOP'],
  ['length', 'LENGTH'],
  ['max_tokens', 'LENGTH'],
  ['tool_calls', 'TOOL_CALLS'],
  ['function_call', 'TOOL_CALLS'],
  ['content_filter', 'CONTENT_FILTER'],
]);

/** Undefined for what is no clean end: `error`, vLLM's `abort`, DeepSeek's `insufficient_system_resource`, or no such thing at all. */
export function finishReason(sent: unknown): FinishReason | undefined {
  return typeof sent === 'string' ? finishReasons.get(sent) : undefined;
}

/** Null when the counts are not there, or are no counts. `prompt_cache_hit_tokens` is DeepSeek's. */
export function tokenCount(usage: unknown): TokenCount | null {
  if (!isRecord(usage)) return null;
  const inputTokens = count(usage['prompt_tokens']);
  if (inputTokens === null) return null;
  const details = usage['prompt_tokens_details'];
  const cached = count(isRecord(details) ? details['cached_tokens'] : usage['prompt_cache_hit_tokens']) ?? 0;
  return {
    inputTokens,
    cachedInputTokens: Math.min(cached, inputTokens),
    outputTokens: count(usage['completion_tokens']) ?? 0,
  };
}

/** A field that is text, empty where the provider left it out or sent null; undefined for anything else. */
export function optionalText(value: unknown): string | undefined {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : undefined;
}

export function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** The object in a body of status 200; throws what it really is: no JSON, no object, or an error in disguise. */
export function readBody(text: string, upstream: Upstream): Record<string, unknown> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw malformed(upstream, 'JSON', text === '' ? 'an empty body' : text);
  }
  if (!isRecord(body)) throw malformed(upstream, 'a JSON object', text);
  if (body['error'] !== undefined && body['error'] !== null) throw translateSentError(body['error'], upstream);
  return body;
}
