import type { ChatChunk, ChatMessage, TokenCount } from '../../contracts/model-provider.ts';
import { countTokens } from '../../text/tokens.ts';

/** Role and delimiters of a message, and the priming of the reply, as OpenAI's cookbook counts them. */
const tokensPerMessage = 4;
const tokensPerReply = 3;

/** Attachments are left out: what they cost only the vendor knows. */
export function countInput(messages: readonly ChatMessage[]): number {
  return messages.reduce((sum, message) => sum + tokensPerMessage + countTokens(wordsOf(message)), tokensPerReply);
}

/** All that stands in a message: its text, and the tools that it asks for. */
export function wordsOf({ text, toolCalls = [] }: ChatMessage): string {
  return toolCalls.reduce((words, call) => `${words} ${call.tool} ${call.arguments}`, text);
}

/** For providers that send no count. */
export function estimateChat(messages: readonly ChatMessage[], reply: string): TokenCount {
  return { inputTokens: countInput(messages), cachedInputTokens: 0, outputTokens: countTokens(reply) };
}

/** What one stream used: the provider's count, or an estimate from what came until it was cut. */
export class StreamSpend {
  #tokens: TokenCount | null = null;
  #written = '';

  see(chunk: ChatChunk): void {
    if (chunk.type === 'usage') this.#tokens = chunk.tokens;
    else if (chunk.type === 'tool-call') this.#written += chunk.tool;
    else if (chunk.type !== 'finish') this.#written += chunk.delta;
  }

  used(inputTokens: () => number): Used {
    if (this.#tokens !== null) return { tokens: this.#tokens, estimated: false };
    const outputTokens = countTokens(this.#written);
    return { tokens: { inputTokens: inputTokens(), cachedInputTokens: 0, outputTokens }, estimated: true };
  }
}

/** What one provider call used; `estimated`: by our count. */
export interface Used {
  readonly tokens: TokenCount;
  readonly estimated: boolean;
}
