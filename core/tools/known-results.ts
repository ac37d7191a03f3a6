import type { ChatMessage } from '../contracts/model-provider.ts';
import type { KnownLinks } from '../text/known-links.ts';

/** Adds what the tools of a run have returned, as it stands among the messages of its next turn. */
export function knowResults(links: KnownLinks, messages: readonly ChatMessage[]): void {
  const args = new Map<string, string>();
  for (const { role, text, toolCalls = [], toolCallId = '' } of messages) {
    for (const call of toolCalls) args.set(call.id, call.arguments);
    if (role === 'TOOL') links.knowResult(args.get(toolCallId) ?? '', text);
  }
}
