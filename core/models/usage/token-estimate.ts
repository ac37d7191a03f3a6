import type { ChatChunk, ChatMessage, TokenCount } from '../../contracts/model-provider.ts';
import { countTokens } from '../../text/tokens.ts';
import type { Price, UsageMeter } from './usage-meter.ts';

/** Role and delimiters of a message, and the priming of the reply, as OpenAI's cookbook counts them. */
const tokensPerMessage = 4;
const tokensPerReply = 3;

/** For providers that send no count. Attachments are left out: what they cost only the vendor knows. */
export function estimateChat(messages: readonly ChatMessage[], reply: string): TokenCount {
  let inputTokens = tokensPerReply;
  for (const message of messages) inputTokens += tokensPerMessage + countTokens(message.text);
  return { inputTokens, cachedInputTokens: 0, outputTokens: countTokens(reply) };
}

/** What one stream used: the provider's count, or an estimate from what came until it was cut. */
export class StreamSpend {
  readonly #messages: readonly ChatMessage[];
  #tokens: TokenCount | null = null;
  #written = '';

  constructor(messages: readonly ChatMessage[]) {
    this.#messages = messages;
  }

  see(chunk: ChatChunk): void {
    if (chunk.type === 'usage') this.#tokens = chunk.tokens;
    else if (chunk.type !== 'finish') this.#written += chunk.delta;
  }

  settle(meter: UsageMeter, price: Price | null): void {
    meter.add(this.#tokens ?? estimateChat(this.#messages, this.#written), price, this.#tokens === null);
  }
}
