import type { ChatMessage } from '../contracts/model-provider.ts';
import type { KnownLinks } from '../text/known-links.ts';

/**
 * Adds what the tools of a run have returned, as it stands among the messages of its next turn. Not what failed: such a text speaks of what the
 * tool was given.
 */
export function knowResults(links: KnownLinks, messages: readonly ChatMessage[]): void {
  const args = new Map<string, string>();
  for (const { role, text, toolCalls = [], toolCallId = '' } of messages) {
    for (const call of toolCalls) args.set(call.id, call.arguments);
    if (role === 'TOOL' && !isFailure(text)) links.knowResult(args.get(toolCallId) ?? '', text);
  }
}

/** `{"error": …}` in its fence. */
function isFailure(text: string): boolean {
  return /^<data-\w+ [^\n]*>\n\{"error":"(?:[^"\\]|\\.)*"\}\n<\/data-\w+>$/.test(text);
}
