const maxLine = 200;
const fenceLine = /^((?:[ \t]*>)*)([ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(?:(`{3,})[^`]*|(~{3,}).*)$/;

interface Fence {
  readonly marks: string;
  /** Of the quotation that it stands in, how many deep, and the column of the item of a list: it ends with them. */
  readonly quotes: number;
  readonly indent: number;
}

/** Whether the end of what was seen is code in Markdown: in a fence, or behind a backtick of its line that has no partner yet. */
export class CodeState {
  #line = '';
  #fence: Fence | null = null;
  /** Readers of Markdown would differ about where a fence began or ended. */
  #isUnsure = false;

  see(text: string): void {
    for (const [index, part] of text.split('\n').entries()) {
      if (index > 0) this.#endLine();
      if (this.#line.length < maxLine) this.#line += part.slice(0, maxLine);
    }
  }

  /** For sure. */
  get isFenced(): boolean {
    return this.#fence !== null && !this.#isUnsure && isWithin(this.#fence, this.#line);
  }

  get isCode(): boolean {
    if (this.#fence !== null) return true;
    let open = 0;
    for (const { length } of this.#line.match(/`+/g) ?? []) {
      if (open === 0) open = length;
      else if (open === length) open = 0;
    }
    return open > 0;
  }

  #endLine(): void {
    const line = this.#line;
    this.#line = '';
    if (this.#fence !== null && !isWithin(this.#fence, line)) {
      // Where the fence was indented and in no list, its code may be less so.
      this.#isUnsure ||= this.#fence.quotes === 0;
      this.#fence = null;
    }
    if (this.#fence === null) this.#open(line);
    else if (isClosing(line, this.#fence)) this.#fence = null;
  }

  #open(line: string): void {
    const [, quotes = '', before = '', backticks, tildes] = fenceLine.exec(line) ?? [];
    const marks = backticks ?? tildes;
    if (marks === undefined) return;
    // A backtick further on would make it no fence.
    this.#isUnsure ||= line.length >= maxLine;
    this.#fence = { marks, quotes: quotes.split('>').length - 1, indent: before.length };
  }
}

function isClosing(line: string, { marks }: Fence): boolean {
  const closing = line.replace(/^[\s>]*/, '').trimEnd();
  return closing.startsWith(marks) && closing === marks.charAt(0).repeat(closing.length);
}

/** A line that is empty ends no item; one that a quotation's mark is missing from ends the quotation. */
function isWithin({ quotes, indent }: Fence, line: string): boolean {
  const [mark = ''] = new RegExp(`^(?:[ \\t]*>){0,${quotes}}`).exec(line) ?? [];
  if (mark.split('>').length - 1 < quotes) return false;
  const rest = line.slice(mark.length);
  return rest.trim() === '' || (/^[ \t]*/.exec(rest)?.[0].length ?? 0) >= indent;
}
