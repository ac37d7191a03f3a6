/**
 * Whether what comes next in a text of Markdown may be the address of an image: behind `![`, to the bracket that closes it. Which bracket
 * that is, is plain as long as nothing between them could hide one: a backslash, code, a tag, more brackets. Then everything up to the end
 * of the paragraph may be it, since readers of Markdown differ in how they read such a text.
 */
export class OpenImages {
  #state: 'none' | 'plain' | 'unclear' = 'none';
  #last = '';
  #isBlank = true;

  see(text: string): void {
    for (const character of text) {
      if (character === '\n') {
        if (this.#isBlank) this.#state = 'none';
        this.#isBlank = true;
      } else if (!/\s/.test(character)) {
        this.#isBlank = false;
        this.#mark(character);
      }
      this.#last = character;
    }
  }

  get isOpen(): boolean {
    return this.#state !== 'none';
  }

  #mark(character: string): void {
    if (character === '[' && this.#last === '!') this.#state = this.#state === 'none' ? 'plain' : 'unclear';
    else if (this.#state !== 'plain') return;
    else if (character === ']') this.#state = 'none';
    else if (/[[\\`<]/.test(character)) this.#state = 'unclear';
  }
}
