import { GatewayError } from '../../contracts/gateway-error.ts';
import type { ModelProvider } from '../../contracts/model-provider.ts';
import { untilAborted } from '../calls/abortable.ts';
import type { LiveCalls } from '../calls/call-bounds.ts';
import type { ListingOptions } from '../models-options.ts';
import type { Catalogue } from './catalogue.ts';

/** A call speaks louder than a probe this long: some servers answer calls and have no list of models. */
const callSpeaksMs = 60_000;
/** A failed probe is repeated sooner than a good one. */
const retryProbeMs = 5_000;

interface Outcome {
  readonly ok: boolean;
  readonly detail: string | null;
  readonly at: number;
}

/** How one provider did last, and its list of models, asked again when it is stale and somebody wants it. */
export class ProviderStatus {
  readonly #provider: ModelProvider;
  readonly #catalogue: Catalogue;
  readonly #options: ListingOptions;
  readonly #calls: LiveCalls;
  #lastCall: Outcome | null = null;
  #lastProbe: Outcome | null = null;
  #probe: Promise<void> | null = null;

  constructor(provider: ModelProvider, catalogue: Catalogue, options: ListingOptions, calls: LiveCalls) {
    this.#provider = provider;
    this.#catalogue = catalogue;
    this.#options = options;
    this.#calls = calls;
  }

  /** Null: it answered. */
  recordCall(error: unknown): void {
    this.#lastCall = outcomeOf(error);
  }

  /** Resolves when the list is fresh or could not be had; never rejects. Callers at the same time share one probe. */
  async refresh(): Promise<void> {
    const last = this.#lastProbe;
    const freshMs = last?.ok === true ? this.#options.freshMs : Math.min(retryProbeMs, this.#options.freshMs);
    if (last !== null && Date.now() - last.at < freshMs) return;
    this.#probe ??= this.#ask().finally(() => {
      this.#probe = null;
    });
    await this.#probe;
  }

  health(): { readonly name: string; readonly ok: boolean; readonly detail: string | null } {
    const call = this.#lastCall;
    const probe = this.#lastProbe;
    const newest = call !== null && (probe === null || call.at >= probe.at - callSpeaksMs) ? call : probe;
    return { name: this.#provider.name, ok: newest?.ok ?? true, detail: newest?.detail ?? null };
  }

  async #ask(): Promise<void> {
    using call = this.#calls.begin(`the list of models of ${this.#provider.name}`, null, this.#options.probeMs);
    try {
      const models = await untilAborted(this.#provider.models(call.signal), call.signal);
      this.#catalogue.learn(this.#provider, models);
      this.#lastProbe = outcomeOf(null);
    } catch (error) {
      this.#lastProbe = outcomeOf(error);
    }
  }
}

/** Only a GatewayError's message is made to be shown; a provider that says "slow down" is well. */
function outcomeOf(error: unknown): Outcome {
  const at = Date.now();
  if (error === null) return { ok: true, detail: null, at };
  if (!(error instanceof GatewayError)) return { ok: false, detail: 'it failed in an unexpected way', at };
  return { ok: error.code === 'RATE_LIMITED', detail: error.message, at };
}
