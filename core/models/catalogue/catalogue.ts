import { GatewayError } from '../../contracts/gateway-error.ts';
import type { Capability, ModelProvider, ProviderModel } from '../../contracts/model-provider.ts';
import { assertStorable } from '../../text/normalise.ts';
import type { ConfiguredModel, ProviderOptions, TargetLimits } from '../models-options.ts';
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
  /** Tokens that it writes at most; null: it is not known. */
  readonly maxOutputTokens: number | null;
  readonly price: Price | null;
  readonly attachments: readonly string[];
  /** The vector length to ask for; null: the model's own. */
  readonly dimensions: number | null;
  readonly limits: Partial<TargetLimits>;
}

/** A model as its provider has it. */
interface Place {
  readonly options: ProviderOptions;
  readonly model: ConfiguredModel;
  /** It stands in the configuration. */
  readonly isConfigured: boolean;
}

/**
 * Which provider a name goes to, and what is known of it. A name that stands in a provider's options goes there, so that
 * collections made with the local embedding model keep working next to a vendor's; "provider/model" goes to the provider that it
 * names; every other name goes to the first provider, listed by it or not.
 */
export class Catalogue {
  readonly #providers: readonly ProviderOptions[];
  readonly #default: ProviderOptions;
  /** By bare name; of two providers that have the same one the first. */
  readonly #configured = new Map<string, Place>();
  readonly #listed = new Map<ModelProvider, ReadonlyMap<string, ProviderModel>>();
  #version = 0;

  /** `used`: further models, of routes, that are as good as configured. */
  constructor(
    providers: readonly ProviderOptions[],
    used: readonly { readonly provider: string; readonly model: string }[] = [],
  ) {
    const [first] = providers;
    if (first === undefined)
      throw new GatewayError('BAD_INPUT', 'providers must name at least one model provider, got none');
    this.#default = withUsed(first, used);
    this.#providers = [this.#default, ...providers.slice(1).map((options) => withUsed(options, used))];
    for (const options of this.#providers) {
      for (const model of modelsOf(options)) {
        if (!this.#configured.has(model.name)) this.#configured.set(model.name, { options, model, isConfigured: true });
      }
    }
  }

  /** Remembers what a provider listed last. */
  learn(provider: ModelProvider, models: readonly ProviderModel[]): void {
    this.#listed.set(provider, new Map(models.map((model) => [model.name, model])));
    this.#version += 1;
  }

  /** Another number: something that was found before may be found otherwise now. */
  get version(): number {
    return this.#version;
  }

  /** Every model that can be routed to: the configured ones, and what the default provider lists. */
  get entries(): readonly CatalogueEntry[] {
    const places = this.#providers.flatMap((options) =>
      modelsOf(options).map((model): Place => ({ options, model, isConfigured: true })),
    );
    const listed = [...(this.#listed.get(this.#default.provider)?.keys() ?? [])]
      .filter((name) => !this.#configured.has(name))
      .map((name): Place => ({ options: this.#default, model: { name }, isConfigured: false }));
    return [...places, ...listed].map((place) => this.#entry(place));
  }

  /** Names that somebody may have meant. */
  get names(): readonly string[] {
    return [...this.#configured.keys(), ...(this.#listed.get(this.#default.provider)?.keys() ?? [])];
  }

  /** Whether a bare name goes to the default provider only because nobody knows it. */
  isUnheardOf(name: string): boolean {
    const { options, isConfigured } = this.#place(name);
    return !isConfigured && !this.#isListed(options, name) && options === this.#default && knownModel(name) === null;
  }

  /** Whether the name goes nowhere, since its provider takes none but its own. */
  isClosedTo(name: string): boolean {
    const { options, model, isConfigured } = this.#place(name);
    return options.closed === true && !isConfigured && !this.#isListed(options, model.name);
  }

  find(name: string): CatalogueEntry {
    if (name === '' || name.length > longestName) {
      throw new GatewayError('BAD_INPUT', `model must be a name of 1–${longestName} characters, got ${name.length}`);
    }
    // Usage is kept under the name: one that cannot be stored would hold up the usage of everybody.
    assertStorable(name, 'model');
    return this.#entry(this.#place(name));
  }

  /** A provider's model by both names, as routes have it. */
  of(provider: string, name: string): CatalogueEntry {
    const options = this.#providers.find((each) => each.provider.name === provider) ?? this.#default;
    return this.#entry(placeAt(options, name));
  }

  #isListed({ provider }: ProviderOptions, name: string): boolean {
    return this.#listed.get(provider)?.has(name) === true;
  }

  #place(name: string): Place {
    const configured = this.#configured.get(name);
    if (configured !== undefined) return configured;
    const slash = name.indexOf('/');
    const options = this.#providers.find(({ provider }) => slash > 0 && provider.name === name.slice(0, slash));
    if (options === undefined || slash === name.length - 1) {
      return { options: this.#default, model: { name }, isConfigured: false };
    }
    return placeAt(options, name.slice(slash + 1));
  }

  #entry({ options, model, isConfigured }: Place): CatalogueEntry {
    const { provider } = options;
    const { name } = model;
    // One that cannot write has the models that it came with, and no others.
    if (!isConfigured && !provider.generative) return unoffered(name, provider);
    const known = knownModel(name);
    const listed = this.#listed.get(provider)?.get(name);
    const certain = model.capabilities ?? certainCapabilities(name, options, known?.capabilities ?? null);
    return {
      name,
      provider,
      capabilities: certain ?? listed?.capabilities ?? [],
      cannot: (capability) => certain !== null && !certain.includes(capability),
      contextWindow: model.contextWindow ?? known?.contextWindow ?? listed?.contextWindow ?? null,
      maxOutputTokens: model.maxOutputTokens ?? known?.maxOutputTokens ?? null,
      price: configuredPrice(model) ?? (provider.generative ? listPrice(name) : free),
      attachments: model.attachments ?? (provider.generative ? usualAttachments : []),
      dimensions: model.dimensions ?? null,
      limits: { ...options.limits, ...model.limits },
    };
  }
}

function placeAt(options: ProviderOptions, name: string): Place {
  const model = modelsOf(options).find((each) => each.name === name);
  return { options, model: model ?? { name }, isConfigured: model !== undefined };
}

function unoffered(name: string, provider: ModelProvider): CatalogueEntry {
  return {
    name,
    provider,
    capabilities: [],
    cannot: () => true,
    contextWindow: null,
    maxOutputTokens: null,
    price: null,
    attachments: [],
    dimensions: null,
    limits: {},
  };
}

function withUsed(
  options: ProviderOptions,
  used: readonly { readonly provider: string; readonly model: string }[],
): ProviderOptions {
  const own = used.filter(({ provider }) => provider === options.provider.name).map(({ model }) => model);
  const known = new Set(modelsOf(options).map(({ name }) => name));
  const more = [...new Set(own)].filter((name) => !known.has(name)).map((name) => ({ name }));
  return more.length === 0 ? options : { ...options, models: [...(options.models ?? []), ...more] };
}

/** Its default models first. */
function modelsOf({ chatModel, embeddingModel, models }: ProviderOptions): ConfiguredModel[] {
  const byName = new Map((models ?? []).map((model) => [model.name, model]));
  const defaults = [chatModel, embeddingModel].filter((name) => name !== null);
  return [...new Set([...defaults, ...byName.keys()])].map((name) => byName.get(name) ?? { name });
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
