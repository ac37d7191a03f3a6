import type { Behaviour, WireChat } from './behaviour.ts';
import { type Exchange, pause, sendError, sendJson } from './exchange.ts';
import { defaultReply, textOf } from './reply.ts';
import { reportUsage, streamReply } from './stream.ts';
import { toolCallsOf, type WireToolCall } from './tool-calls.ts';
import { refuseChat } from './validate.ts';

/** A reply, ready to be sent one way or the other. */
export interface Reply {
  readonly id: string;
  readonly model: string;
  readonly tokens: readonly string[];
  readonly reasoning: readonly string[];
  readonly toolCalls: readonly WireToolCall[];
  readonly finishReason: string | null;
  /** Null: none is sent. */
  readonly usage: WireUsage | null;
}

export interface WireUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
  readonly completion_tokens_details: { readonly reasoning_tokens: number };
}

export interface ChatSettings {
  readonly countTokens: (text: string) => number;
  /** Longer prompts are refused as OpenAI refuses them; counted in tokens. */
  readonly contextWindow: number;
  /** Sends the time each token was due, in epoch milliseconds, instead of the words: for measuring lateness. */
  readonly stampTokens: boolean;
  readonly primingTokens: number;
}

const TOKENS_PER_MESSAGE = 4;

/** Answers POST /chat/completions. */
export async function answerChat(exchange: Exchange, settings: ChatSettings): Promise<void> {
  const { call, behaviour } = exchange;
  const refusal = refuseChat(call.body);
  if (refusal !== null) return sendError(exchange, 400, { type: 'invalid_request_error', ...refusal });
  // refuseChat has just checked every field that is read from here on.
  const request = call.body as WireChat;
  const inputTokens = request.messages.reduce(
    (sum, message) => sum + settings.countTokens(textOf(message)) + TOKENS_PER_MESSAGE,
    settings.primingTokens,
  );
  if (inputTokens > settings.contextWindow) {
    const message = `This model's maximum context length is ${settings.contextWindow} tokens. However, your messages resulted in ${inputTokens} tokens.`;
    const error = { type: 'invalid_request_error', param: 'messages', code: 'context_length_exceeded', message };
    return sendError(exchange, 400, error);
  }
  const reply = prepare(exchange, request, inputTokens, settings);
  if (request.stream === true && behaviour.rawBody === undefined) {
    return streamReply(exchange, reply, settings.stampTokens);
  }
  const tokensPerSecond = behaviour.tokensPerSecond ?? 0;
  const writingMs = tokensPerSecond > 0 ? (reply.tokens.length / tokensPerSecond) * 1000 : 0;
  await pause((behaviour.firstTokenMs ?? 0) + writingMs, exchange.signal);
  await sendJson(exchange, 200, completion(reply, behaviour));
  if (behaviour.cutAfter === undefined) reportUsage(exchange, reply);
  exchange.journal.sent(call, reply.tokens.length);
}

function prepare(exchange: Exchange, request: WireChat, inputTokens: number, settings: ChatSettings): Reply {
  const { call, behaviour } = exchange;
  const toolCalls = toolCallsOf(request, behaviour, call);
  const unasked = () => (toolCalls.length > 0 ? '' : defaultReply(request));
  const said = typeof behaviour.reply === 'function' ? behaviour.reply(request, call) : (behaviour.reply ?? unasked());
  const text = beforeStop(said, request.stop);
  const all = tokensOf(text);
  const limit = request.max_completion_tokens ?? request.max_tokens ?? Number.POSITIVE_INFINITY;
  const tokens = all.length > limit ? all.slice(0, limit) : all;
  const reasoning = tokensOf(behaviour.reasoning ?? '');
  const reasoningTokens = settings.countTokens(behaviour.reasoning ?? '');
  const asked = toolCalls.map(({ function: called }) => `${called.name} ${called.arguments}`);
  const outputTokens = settings.countTokens([tokens.join(''), ...asked].join(' ').trim()) + reasoningTokens;
  const whole = toolCalls.length > 0 ? 'tool_calls' : 'stop';
  const natural = all.length > limit ? 'length' : whole;
  return {
    id: `chatcmpl-${call.number}`,
    model: request.model,
    tokens,
    reasoning,
    toolCalls,
    finishReason: behaviour.finishReason === undefined ? natural : behaviour.finishReason,
    usage: behaviour.usage === false ? null : usageOf(inputTokens, outputTokens, reasoningTokens, behaviour),
  };
}

function usageOf(inputTokens: number, outputTokens: number, reasoningTokens: number, behaviour: Behaviour): WireUsage {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: behaviour.cachedTokens ?? 0 },
    completion_tokens_details: { reasoning_tokens: reasoningTokens },
  };
}

function completion(reply: Reply, behaviour: Behaviour): object {
  const thought = reply.reasoning.join('');
  const message = {
    role: 'assistant',
    content: reply.toolCalls.length > 0 && reply.tokens.length === 0 ? null : reply.tokens.join(''),
    ...(reply.toolCalls.length === 0 ? {} : { tool_calls: reply.toolCalls }),
    ...(thought === '' ? {} : { [behaviour.reasoningField ?? 'reasoning_content']: thought }),
  };
  return {
    id: reply.id,
    object: 'chat.completion',
    created: Math.floor(Date.now() / 1000),
    model: reply.model,
    choices: [{ index: 0, message, finish_reason: reply.finishReason }],
    ...(reply.usage === null ? {} : { usage: reply.usage }),
  };
}

/** Words with the white space before them; the last one takes what is left, so that joining gives the text again. */
function tokensOf(text: string): readonly string[] {
  return text.match(/\s*\S+(?:\s+$)?/g) ?? (text === '' ? [] : [text]);
}

function beforeStop(text: string, stop: WireChat['stop']): string {
  const marks = typeof stop === 'string' ? [stop] : (stop ?? []);
  const ends = marks.map((mark) => text.indexOf(mark)).filter((at) => at >= 0);
  return ends.length === 0 ? text : text.slice(0, Math.min(...ends));
}
