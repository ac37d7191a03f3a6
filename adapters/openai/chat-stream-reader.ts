import { createParser } from 'eventsource-parser';
import type { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { ChatChunk, TokenCount } from '../../core/contracts/model-provider.ts';
import { expectedToolCalls, ToolCallReader, type ToolChunk } from './tool-call-reader.ts';
import { translateSentError } from './translate-error.ts';
import { isRecord, malformed, type Upstream } from './upstream.ts';
import { finishReason, optionalText, tokenCount } from './wire-reply.ts';

/** A single event larger than this is no token of text. */
const MAX_EVENT_CHARS = 16 * 1024 * 1024;

/**
 * Server-sent events → chunks, by hand: the SDK's own iteration costs three times as much per token. Fed with decoded text,
 * it gathers chunks until they are taken; neighbours of one kind are joined, so a consumer that lags gets fewer and larger ones.
 */
export class ChatStreamReader {
  /** Set as soon as the stream can no longer end well; the chunks before it are still to be delivered. */
  failure: GatewayError | null = null;
  /** After `[DONE]`: nothing more will come. */
  done = false;
  finished = false;
  /** Text that waits to be taken. */
  unreadChars = 0;

  readonly #upstream: Upstream;
  readonly #parser;
  readonly #toolCalls = new ToolCallReader();
  #chunks: ChatChunk[] = [];
  #tokens: TokenCount | null = null;

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
    this.#parser = createParser({
      onEvent: ({ data }) => this.#read(data),
      onError: (error) => {
        // Unknown fields are ignored, as the standard says; a buffer overflow ends the parser.
        if (error.type === 'max-buffer-size-exceeded') this.#fail('an event of at most 16 MB', 'a longer one');
      },
      maxBufferSize: MAX_EVENT_CHARS,
    });
  }

  feed(text: string): void {
    if (this.failure === null && !this.done) this.#parser.feed(text);
  }

  get hasChunks(): boolean {
    return this.#chunks.length > 0;
  }

  take(): readonly ChatChunk[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.unreadChars = 0;
    return chunks;
  }

  /** Throws what makes the stream a failure, or gives its usage: some servers count in every chunk, others once, the last one holds. */
  end(): TokenCount | null {
    if (this.failure !== null) throw this.failure;
    if (this.finished) return this.#tokens;
    throw malformed(this.#upstream, 'a `finish_reason` before the end of the stream', this.done ? '[DONE]' : 'its end');
  }

  #read(data: string): void {
    if (this.failure !== null || this.done) return;
    if (data === '[DONE]') {
      this.done = true;
      return;
    }
    let chunk: unknown;
    try {
      chunk = JSON.parse(data);
    } catch {
      this.#fail('a JSON object', data);
      return;
    }
    if (!isRecord(chunk)) {
      this.#fail('a JSON object', data);
    } else if (chunk['error'] !== undefined && chunk['error'] !== null) {
      this.#failWith(translateSentError(chunk['error'], this.#upstream));
    } else {
      this.#tokens = tokenCount(chunk['usage']) ?? this.#tokens;
      this.#readChoices(chunk, data);
    }
  }

  #readChoices(chunk: Record<string, unknown>, data: string): void {
    const choices = chunk['choices'];
    if (!Array.isArray(choices)) {
      if (!isRecord(chunk['usage'])) this.#fail('`choices` in the chunk', data);
      return;
    }
    for (const choice of choices) {
      if (!isRecord(choice)) {
        this.#fail('objects in `choices`', data);
        return;
      }
      // `n` in providerOptions makes several; the contract has one.
      if (choice['index'] === undefined || choice['index'] === 0) this.#readChoice(choice, data);
    }
  }

  #readChoice(choice: Record<string, unknown>, data: string): void {
    if (this.finished) return;
    const delta = isRecord(choice['delta']) ? choice['delta'] : {};
    const reasoning = optionalText(delta['reasoning_content'] ?? delta['reasoning']);
    const text = optionalText(delta['content'] ?? delta['refusal']);
    if (text === undefined || reasoning === undefined) {
      this.#fail('text in `delta.content`', data);
      return;
    }
    if (reasoning !== '') this.#push('reasoning', reasoning);
    if (text !== '') this.#push('text', text);
    const calls = this.#toolCalls.read(delta['tool_calls']);
    if (calls === null) {
      this.#fail(expectedToolCalls, data);
      return;
    }
    for (const chunk of calls) this.#pushCall(chunk);
    const sent = choice['finish_reason'];
    if (sent === undefined || sent === null || sent === '') return;
    const reason = finishReason(sent);
    if (reason === undefined) {
      this.#fail('`finish_reason` stop, length, tool_calls or content_filter', JSON.stringify(sent));
      return;
    }
    this.finished = true;
    // Some servers say `stop` behind a tool call.
    this.#chunks.push({
      type: 'finish',
      reason: reason === 'STOP' && this.#toolCalls.hasCalls ? 'TOOL_CALLS' : reason,
    });
  }

  #pushCall(chunk: ToolChunk): void {
    const last = this.#chunks.at(-1);
    if (chunk.type === 'tool-arguments') this.unreadChars += chunk.delta.length;
    if (chunk.type === 'tool-arguments' && last?.type === 'tool-arguments' && last.id === chunk.id) {
      this.#chunks[this.#chunks.length - 1] = { ...chunk, delta: last.delta + chunk.delta };
    } else {
      this.#chunks.push(chunk);
    }
  }

  #push(type: 'text' | 'reasoning', delta: string): void {
    this.unreadChars += delta.length;
    const last = this.#chunks.at(-1);
    if (last?.type === type) this.#chunks[this.#chunks.length - 1] = { type, delta: last.delta + delta };
    else this.#chunks.push({ type, delta });
  }

  #fail(expected: string, came: string): void {
    this.#failWith(malformed(this.#upstream, expected, came));
  }

  #failWith(failure: GatewayError): void {
    // What follows the finish cannot spoil a reply that is already whole; at worst its usage is missing, and is estimated.
    if (this.finished) this.done = true;
    else this.failure ??= failure;
  }
}
