import { GatewayError } from '../contracts/gateway-error.ts';
import { assertStorable } from '../text/normalise.ts';

export function checkEmbeddingText(text: string, { maxMessageChars }: { readonly maxMessageChars: number }): void {
  if (text.trim() === '') throw new GatewayError('BAD_INPUT', 'text must hold at least one word, got an empty text.');
  if (text.length > maxMessageChars) {
    throw new GatewayError(
      'BAD_INPUT',
      `text must be at most ${maxMessageChars} characters (limits.maxMessageChars), got ${text.length}.`,
    );
  }
  assertStorable(text, 'text');
}
