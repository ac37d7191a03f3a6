import { GatewayError } from '../../contracts/gateway-error.ts';
import type { Capability, ModelProvider, ProviderModel } from '../../contracts/model-provider.ts';
import { assertStorable } from '../../text/normalise.ts';
import type { ConfiguredModel, ProviderOptions } from '../models-options.ts';
import type { Price } from '../usage/usage-meter.ts';
import { knownModel } from './known-models.ts';
import { configuredPrice, free, listPrice } from './prices.ts';

const longestName = 200;
const usualAttachments = ['image/*', 'audio/wav', 'audio/mpeg', 'application/pdf', 'text/*'];

/** All that is known of one model, from the configuration, gpt-tokenizer's table and the provider's list, in that order. */
export interface CatalogueEntry {
  readonly name: string;
  readonly provider: ModelProvider;
  /** What it is shown to be able to do. */
  readonly capabilities: readonly Capability[];
  /** Whether to refuse it for this, rather than to try: providers' lists are often guesses from names. */
  cannot(capability: Capability): boolean;
  readonly contextWindow: number | null;
  readonly price: Price | null;
  readonly attachments: readonly string[];
  /** The vector length to ask for; null: the model's own. */
  readonly dimensions: number | null;
}

/**
 * Which provider a name goes to, and what is known of it. A name that stands in a provider's options goes there, so that
 * collections made with the local embedding model keep working next to a vendor's; every other name goes to the first
 * provider, listed by it or not.
 */
export class Catalogue {
  readonly #default: ProviderOptions;
  readonly #configured = new Map<string, { readonly options: ProviderOptions; readonly model: ConfiguredModel }>();
  readonly #listed = new Map<ModelProvider, ReadonlyMap<string, ProviderModel>>();

  constructor(providers: readonly ProviderOptions[]) {
    const [first] = providers;
    if (first === undefined)
      throw new GatewayError('BAD_INPUT', 'providers must name at least one model provider, got none');
    this.#default = first;
    for (const options of providers) {
      const byName = new Map((options.models ?? []).map((model) => [model.name, model]));
      for (const name of namesOf(options)) {
        if (!this.#configured.has(name)) this.#configured.set(name, { options, model: byName.get(name) ?? { name } });
      }
    }
  }

  /** Remembers what a provider listed last. */
  learn(provider: ModelProvider, models: readonly ProviderModel[]): void {
    this.#listed.set(provider, new Map(models.map((model) => [model.name, model])));
  }

  /** Every name that can be routed to: the configured ones, and what the default provider lists. */
  get names(): readonly string[] {
    const listed = this.#listed.get(this.#default.provider)?.keys() ?? [];
    return [...new Set([...this.#configured.keys(), ...listed])];
  }

  find(name: string): CatalogueEntry {
    if (name === '' || name.length > longestName) {
      throw new GatewayError('BAD_INPUT', `model must be a name of 1–${longestName} characters, got ${name.length}`);
    }
    // Usage is kept under the name: one that cannot be stored would hold up the usage of everybody.
    assertStorable(name, 'model');
    const configured = this.#configured.get(name);
    const { options, model } = configured ?? { options: this.#default, model: { name } };
    const { provider } = options;
    // One that cannot write has the models that it came with, and no others.
    if (configured === undefined && !provider.generative) return unoffered(name, provider);
    const known = knownModel(name);
    const listed = this.#listed.get(provider)?.get(name);
    const certain = model.capabilities ?? certainCapabilities(name, options, known?.capabilities ?? null);
    return {
      name,
      provider,
      capabilities: certain ?? listed?.capabilities ?? [],
      cannot: (capability) => certain !== null && !certain.includes(capability),
      contextWindow: model.contextWindow ?? known?.contextWindow ?? listed?.contextWindow ?? null,
      price: configuredPrice(model) ?? (provider.generative ? listPrice(name) : free),
      attachments: model.attachments ?? (provider.generative ? usualAttachments : []),
      dimensions: model.dimensions ?? null,
    };
  }
}

function unoffered(name: string, provider: ModelProvider): CatalogueEntry {
  return {
    name,
    provider,
    capabilities: [],
    cannot: () => true,
    contextWindow: null,
    price: null,
    attachments: [],
    dimensions: null,
  };
}

function namesOf({ chatModel, embeddingModel, models }: ProviderOptions): Set<string> {
  const defaults = [chatModel, embeddingModel].filter((name) => name !== null);
  return new Set([...defaults, ...(models ?? []).map(({ name }) => name)]);
}

/** A default model can do what it is the default for, whatever the lists say. */
function certainCapabilities(
  name: string,
  { chatModel, embeddingModel }: ProviderOptions,
  known: readonly Capability[] | null,
): readonly Capability[] | null {
  const capabilities = new Set(known ?? []);
  if (name === chatModel) capabilities.add('CHAT');
  if (name === embeddingModel) capabilities.add('EMBEDDING');
  return known === null && capabilities.size === 0 ? null : [...capabilities];
}
