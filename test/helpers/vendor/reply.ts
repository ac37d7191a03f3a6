import type { WireChat, WireMessage } from './behaviour.ts';
import { jsonFor } from './json-for.ts';

const MAX_SOURCES = 3;

/** What the vendor says unless told otherwise: always the same for the same request, and built from it. */
export function defaultReply(request: WireChat): string {
  const schema = request.response_format?.json_schema?.schema;
  if (schema !== undefined) return JSON.stringify(jsonFor(schema));
  if (request.response_format?.type === 'json_object') return '{"answer":"yes"}';
  const sources = sourcesIn(request.messages);
  if (sources.length > 0) {
    const cited = sources.slice(0, MAX_SOURCES).map(({ number, text }) => `${text.replace(/[.!?]$/, '')} [${number}].`);
    return `According to the sources, this is what is known. ${cited.join(' ')}`;
  }
  const question = textOf(request.messages.at(-1)).replace(/\s+/g, ' ').trim().slice(0, 80);
  return (
    `You asked: “${question}”. Here is an answer of some forty words, written by the test vendor and not by a model, ` +
    'which says nothing new about the matter but takes its time, comes in many small pieces, and ends as every good answer does, with a full stop.'
  );
}

export function textOf(message: WireMessage | undefined): string {
  if (message === undefined || message.content === null) return '';
  if (typeof message.content === 'string') return message.content;
  return message.content.map((part) => part.text ?? '').join(' ');
}

/** Numbered sources of the prompt: a line that starts with `[n] `, and what follows it up to a blank line or the next number. */
function sourcesIn(messages: readonly WireMessage[]): readonly { readonly number: number; readonly text: string }[] {
  const sources: { number: number; text: string }[] = [];
  const blocks = messages
    .map(textOf)
    .join('\n\n')
    .matchAll(/^\[(\d+)\] (.*(?:\n(?!\[\d+\] |\s*$).*)*)/gm);
  for (const [, number, block] of blocks) {
    const lines = (block ?? '').split('\n').map((line) => line.trim());
    // With a text under it, the first line is a title.
    const body = lines.length > 1 ? lines.slice(1).join(' ') : (lines[0] ?? '');
    const sentence = /^.*?[.!?](?=\s|$)/.exec(body)?.[0] ?? body;
    sources.push({ number: Number(number), text: sentence });
  }
  return sources;
}
