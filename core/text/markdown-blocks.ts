export type BlockKind = 'paragraph' | 'heading' | 'listItem' | 'quote' | 'table' | 'code';

/** A stretch of text that no sentence crosses. Of code and tables each line is a block of its own. */
export interface Block {
  readonly kind: BlockKind;
  /** With its marker: `- `, `## `, `> `. */
  readonly start: number;
  /** Where its words begin. */
  readonly contentStart: number;
  readonly end: number;
}

interface Line {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const headingMarker = /^ {0,3}#{1,6}[ \t]+/;
const listMarker = /^[ \t]*(?:[-*+•]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?/;
const quoteMarker = /^ {0,3}>[ \t]?/;
const fenceOpening = /^[ \t]*(?:[-*+][ \t]+)?(`{3,}|~{3,})([^`]*)$/;
/** Markers stand at the beginning: a line of a megabyte is not searched for them. */
const markerWidth = 200;

/** The blocks of a text, as much of Markdown as sentence and passage borders need. Plain text is paragraphs. */
export function* markdownBlocks(text: string): Generator<Block> {
  let open: Block | null = null;
  let inTable = false;

  for (let line = lineAt(text, 0); line !== null; line = lineAt(text, line.end + 1)) {
    const head = line.text.slice(0, markerWidth);
    const wasInTable: boolean = inTable;
    inTable = false;

    const fence = line.text.length <= markerWidth ? fenceOpening.exec(head) : null;
    if (fence !== null) {
      if (open !== null) yield open;
      open = null;
      const last = endOfFence(text, line, fence[1] ?? '', (fence[2] ?? '').trim() !== '');
      for (let code: Line | null = line; code !== null && code.start <= last; code = lineAt(text, code.end + 1)) {
        if (code.text.trim() !== '') yield lineBlock('code', code);
        line = code;
      }
      continue;
    }

    if (line.text.trim() === '' || isRule(head, line)) {
      const underlined: Block | null = open;
      open = null;
      if (underlined !== null)
        yield isUnderlined(text, underlined, head) ? { ...underlined, kind: 'heading' } : underlined;
      continue;
    }

    if (isTableRow(text, line, wasInTable)) {
      if (open !== null) yield open;
      open = null;
      inTable = true;
      yield lineBlock('table', line);
      continue;
    }

    const heading = headingMarker.exec(head);
    if (heading !== null) {
      if (open !== null) yield open;
      open = null;
      yield lineBlock('heading', line, heading[0].length);
      continue;
    }

    const quote = quoteMarker.exec(head);
    if (quote !== null) {
      if (open?.kind === 'quote') {
        open = extended(open, line);
      } else {
        if (open !== null) yield open;
        open = lineBlock('quote', line, quote[0].length);
      }
      continue;
    }

    const item = listMarker.exec(head);
    if (item !== null) {
      if (open !== null) yield open;
      open = lineBlock('listItem', line, item[0].length);
    } else if (open !== null) {
      open = extended(open, line);
    } else {
      open = lineBlock('paragraph', line);
    }
  }
  if (open !== null) yield open;
}

function lineAt(text: string, start: number): Line | null {
  if (start >= text.length) return null;
  const newline = text.indexOf('\n', start);
  const end = newline < 0 ? text.length : newline;
  return { text: text.slice(start, end), start, end };
}

function lineBlock(kind: BlockKind, line: Line, markerLength = 0): Block {
  const start = line.start + (line.text.length - line.text.trimStart().length);
  const end = line.start + line.text.trimEnd().length;
  const contentStart = Math.max(start, line.start + markerLength);
  // A marker with nothing behind it is what the line says: `1.` may be an answer.
  return { kind, start, contentStart: contentStart < end ? contentStart : start, end };
}

function extended(block: Block, line: Line): Block {
  return { ...block, end: lineBlock(block.kind, line).end };
}

/**
 * Offset of the fence's last line. A fence that nothing closes runs to the end when it names a language; a bare one
 * is then taken for the closing line of a fence whose beginning is in another passage.
 */
function endOfFence(text: string, opening: Line, marks: string, namesLanguage: boolean): number {
  for (let line = lineAt(text, opening.end + 1); line !== null; line = lineAt(text, line.end + 1)) {
    const trimmed = line.text.length > markerWidth ? '' : line.text.trim();
    if (trimmed.startsWith(marks) && trimmed === marks.charAt(0).repeat(trimmed.length)) return line.start;
  }
  return namesLanguage ? text.length : opening.start;
}

/** `---`, `***`, `___`, and the line under a heading (`===`, `---`). */
function isRule(head: string, line: Line): boolean {
  if (line.text.length > markerWidth) return false;
  const marks = head.replace(/[ \t]/g, '');
  return marks.length >= 2 && /^[-=*_]$/.test(marks.charAt(0)) && marks === marks.charAt(0).repeat(marks.length);
}

function isUnderlined(text: string, block: Block, head: string): boolean {
  return (
    block.kind === 'paragraph' &&
    /^ {0,3}(?:=+|-+)\s*$/.test(head) &&
    block.end - block.start <= 100 &&
    !text.slice(block.start, block.end).includes('\n')
  );
}

function isTableRow(text: string, line: Line, inTable: boolean): boolean {
  if (!line.text.includes('|')) return false;
  if (inTable || line.text.trimStart().startsWith('|')) return true;
  const next = lineAt(text, line.end + 1);
  if (next === null || !next.text.includes('|') || !next.text.includes('-')) return false;
  return /^[\s|:-]+$/.test(next.text);
}
