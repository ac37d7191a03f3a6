/** The numbers that the provider wrote into its tokens, `@12.345 ` each, wherever the wire cuts them. */
export class Stamps {
  readonly #onStamp: (value: number) => void;
  #rest = '';

  constructor(onStamp: (value: number) => void) {
    this.#onStamp = onStamp;
  }

  read(text: string): void {
    const all = this.#rest + text;
    let end = 0;
    for (const match of all.matchAll(/@(\d+\.\d+) /g)) {
      this.#onStamp(Number(match[1]));
      end = match.index + match[0].length;
    }
    // A stamp has less than 32 characters; what is older than that is none.
    this.#rest = all.slice(Math.max(end, all.length - 32));
  }
}
