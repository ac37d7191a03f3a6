const fence = '```';

/** The value of a reply that should be JSON; undefined when there is none in it. Models like to wrap it in a code fence. */
export function parseJsonReply(text: string): unknown {
  try {
    return JSON.parse(withoutFence(text.trim()));
  } catch {
    return undefined;
  }
}

function withoutFence(text: string): string {
  if (!text.startsWith(fence) || !text.endsWith(fence)) return text;
  const firstLine = text.indexOf('\n');
  return firstLine < 0 ? text : text.slice(firstLine, -fence.length);
}
