const maxLength = 80;
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** A conversation's title: the first line of its first message, whole words, at most 80 characters. Null when blank. */
export function titleOf(message: string): string | null {
  // Only so much can show: a message of a megabyte costs no more than a short one.
  const beginning = message.trimStart().slice(0, 1_000);
  const line = beginning.split(/[\n\r]/, 1)[0] ?? '';
  const title = line
    .replace(/^(?:#{1,6}|[-*+>])\s+/, '')
    .replace(/\s+/g, ' ')
    .trim();
  if (title === '') return null;
  if (title.length <= maxLength) return title;

  const room = title.slice(0, maxLength);
  const lastSpace = room.lastIndexOf(' ');
  const kept = lastSpace > 0 ? room.slice(0, lastSpace) : wholeCharacters(room, maxLength - 1);
  return `${kept.replace(/[\s,;:.–—-]+$/, '')}…`;
}

/** The longest beginning within `limit` that cuts no character that a reader sees as one. */
function wholeCharacters(text: string, limit: number): string {
  let end = 0;
  for (const { segment, index } of graphemes.segment(text)) {
    if (index + segment.length > limit) break;
    end = index + segment.length;
  }
  return text.slice(0, end);
}
