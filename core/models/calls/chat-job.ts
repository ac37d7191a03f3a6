import type { Usage } from '../../contracts/usage.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import type { CallOptions, ModelRequest } from '../models.ts';
import type { MeterTaps } from '../usage/meter-taps.ts';
import type { CallBounds } from './call-bounds.ts';
import type { InputTokens, Job } from './job.ts';

export interface ChatJobParts {
  readonly request: ModelRequest;
  readonly options: CallOptions;
  readonly bounds: CallBounds;
  /** The name of the route that was asked for; null: a model was. */
  readonly route: string | null;
  readonly input: InputTokens;
  readonly taps: MeterTaps;
}

/** One generation. A class, not an object with a getter, which takes eight times the memory: thousands of calls wait at once. */
export class ChatJob implements Job {
  readonly kind = 'chat';
  readonly bounds: CallBounds;
  readonly route: string | null;
  attempts = 0;
  readonly #request: ModelRequest;
  readonly #options: CallOptions;
  readonly #input: InputTokens;
  readonly #taps: MeterTaps;

  constructor({ request, options, bounds, route, input, taps }: ChatJobParts) {
    this.bounds = bounds;
    this.route = route;
    this.#request = request;
    this.#options = options;
    this.#input = input;
    this.#taps = taps;
  }

  get tenant(): string {
    return this.#options.tenant;
  }

  get payer(): string | null {
    return this.#options.payer ?? null;
  }

  get inputTokens(): number {
    return this.#input.count;
  }

  get isInputUncounted(): boolean {
    return this.#input.hasUncounted;
  }

  get maxOutputTokens(): number | null {
    return this.#request.maxOutputTokens ?? null;
  }

  /** `n` in the provider's options: only the first reply is passed on, and all are paid. */
  get choices(): number {
    const n = this.#request.providerOptions?.['n'];
    return typeof n === 'number' && n > 1 ? Math.ceil(n) : 1;
  }

  spent(entry: CatalogueEntry, usage: Usage): void {
    this.#taps.meter(entry.name, this.#options).addUsage(usage);
  }
}
