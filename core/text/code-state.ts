const maxLine = 200;
const opening = /^[\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)*(?:(`{3,})[^`]*|(~{3,}).*)$/;

/** Whether the end of what was seen is code in Markdown: in a fence, or behind a backtick of its line that has no partner yet. */
export class CodeState {
  #line = '';
  #fence: string | null = null;

  see(text: string): void {
    for (const [index, part] of text.split('\n').entries()) {
      if (index > 0) this.#endLine();
      if (this.#line.length < maxLine) this.#line += part.slice(0, maxLine);
    }
  }

  get isFenced(): boolean {
    return this.#fence !== null;
  }

  get isCode(): boolean {
    if (this.isFenced) return true;
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
    const fence = this.#fence;
    if (fence === null) {
      const [, backticks, tildes] = opening.exec(line) ?? [];
      this.#fence = backticks ?? tildes ?? null;
      return;
    }
    const closing = line.replace(/^[\s>]*/, '').trimEnd();
    if (closing.startsWith(fence) && closing === fence.charAt(0).repeat(closing.length)) this.#fence = null;
  }
}
