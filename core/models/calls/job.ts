import type { ChatRequest } from '../../contracts/model-provider.ts';
import type { Usage } from '../../contracts/usage.ts';
import { countTokens } from '../../text/tokens.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import { countInput, wordsOf } from '../usage/token-estimate.ts';
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
  /** What the input may be in the worst case where it cannot be counted: with attachments. */
  readonly isInputUncounted: boolean;
  /** What the caller bounded the output to. */
  readonly maxOutputTokens: number | null;
  /** Replies that are asked for at once. */
  readonly choices: number;
  /** Hears what each provider call used. */
  spent(entry: CatalogueEntry, usage: Usage): void;
  /** Provider calls so far. */
  attempts: number;
}

type InputOf = Pick<ChatRequest, 'messages' | 'responseSchema' | 'tools' | 'providerOptions'>;

/** Counts a prompt at most once, and only if somebody asks. */
export class InputTokens {
  readonly #request: InputOf;
  #counted: number | null = null;

  constructor(request: InputOf) {
    this.#request = request;
  }

  get count(): number {
    this.#counted ??=
      countInput(this.#request.messages) + this.#besides.reduce((sum, text) => sum + countTokens(text), 0);
    return this.#counted;
  }

  /** Only the vendor knows what attachments come to. */
  get hasUncounted(): boolean {
    return this.#request.messages.some(({ attachments }) => (attachments?.length ?? 0) > 0);
  }

  /** What stands in the request beside its messages, and is read by the model too. */
  get #besides(): readonly string[] {
    const { responseSchema, tools, providerOptions } = this.#request;
    return [responseSchema, tools ?? providerOptions?.['tools']].flatMap((value) =>
      value === undefined ? [] : [JSON.stringify(value)],
    );
  }

  /** Whether they are at most so many. A token is at least one byte: most prompts need no counting. */
  areAtMost(tokens: number): boolean {
    if (this.#counted !== null) return this.#counted <= tokens;
    const { messages } = this.#request;
    const texts = [...messages.map(wordsOf), ...this.#besides];
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 8, 8);
    return bytes <= tokens || this.count <= tokens;
  }
}
