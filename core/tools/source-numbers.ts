import type { ToolSourcePassage } from '../contracts/tool.ts';
import type { NumberedSource } from '../text/source-prompt.ts';

/**
 * The passages that a run has seen, each under one number for the whole run: what its retrieval found, then what its tools returned.
 * Results are added in the order of their calls, not of their answers, so that a run that goes on elsewhere numbers them alike.
 */
export class SourceNumbers {
  readonly #byPassage = new Map<string, NumberedSource>();

  constructor(retrieved: readonly NumberedSource[] = []) {
    for (const source of retrieved) this.#byPassage.set(source.passageId, source);
  }

  get all(): readonly NumberedSource[] {
    return [...this.#byPassage.values()];
  }

  add(passages: readonly ToolSourcePassage[]): void {
    for (const { passageId, title, url, text } of passages) {
      if (this.#byPassage.has(passageId)) continue;
      this.#byPassage.set(passageId, { number: this.#byPassage.size + 1, title, url, text, passageId });
    }
  }

  of(passageId: string): number | null {
    return this.#byPassage.get(passageId)?.number ?? null;
  }
}
