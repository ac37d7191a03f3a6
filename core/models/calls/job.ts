import type { ChatMessage } from '../../contracts/model-provider.ts';
import type { Usage } from '../../contracts/usage.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import { countInput } from '../usage/token-estimate.ts';
import type { CallBounds } from './call-bounds.ts';

/** One call of the pool, whatever targets it goes to and however often: whose it is, what bounds it, and what it may use. */
export interface Job {
  readonly kind: 'chat' | 'embedding';
  readonly bounds: CallBounds;
  readonly tenant: string;
  /** The id of the API key that pays. */
  readonly payer: string | null;
  /** The route that was asked for; null: a model was. */
  readonly route: string | null;
  /** By our tokenizer; counted when it is first asked for. */
  readonly inputTokens: number;
  /** What the caller bounded the output to. */
  readonly maxOutputTokens: number | null;
  /** Hears what each provider call used. */
  spent(entry: CatalogueEntry, usage: Usage): void;
  /** Provider calls so far. */
  attempts: number;
}

/** Counts a prompt at most once, and only if somebody asks. */
export class InputTokens {
  readonly #messages: readonly ChatMessage[];
  #counted: number | null = null;

  constructor(messages: readonly ChatMessage[]) {
    this.#messages = messages;
  }

  get count(): number {
    this.#counted ??= countInput(this.#messages);
    return this.#counted;
  }

  /** Whether they are at most so many. A token is at least one byte: most prompts need no counting. */
  areAtMost(tokens: number): boolean {
    if (this.#counted !== null) return this.#counted <= tokens;
    const bytes = this.#messages.reduce((sum, { text }) => sum + Buffer.byteLength(text) + 8, 8);
    return bytes <= tokens || this.count <= tokens;
  }
}
