/** The first heading of a Markdown text, without its marks; null when there is none. Code blocks and front matter are no headings. */
export function markdownTitle(markdown: string): string | null {
  const lines = markdown.replace(/^---\r?\n.*?\r?\n---\r?\n/su, '').split(/\r?\n/u);
  let fence: string | null = null;
  let previous = '';
  for (const line of lines) {
    const mark: string | undefined = /^ {0,3}(`{3,}|~{3,})/u.exec(line)?.[1];
    if (fence !== null) {
      if (mark?.startsWith(fence)) fence = null;
      continue;
    }
    if (mark !== undefined) {
      fence = mark;
      previous = '';
      continue;
    }
    const heading = /^ {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*$/u.exec(line)?.[1];
    if (heading) return plain(heading);
    if (previous.trim() !== '' && /^ {0,3}(=+|-{2,})[ \t]*$/u.test(line)) return plain(previous);
    // Lists, quotes and tables don't become headings by a line below them.
    previous = /^\s*([-*+>|]|\d+[.)])/u.test(line) ? '' : line;
  }
  return null;
}

function plain(heading: string): string {
  return heading
    .replace(/!?\[([^\]]*)\]\([^)]*\)/gu, '$1')
    .replace(/[*`]+/gu, '')
    .trim();
}
