import { GatewayError } from '../contracts/gateway-error.ts';
import type { Capability, ChatChunk, Completion } from '../contracts/model-provider.ts';
import { untilAborted } from './calls/abortable.ts';
import { cancelled, LiveCalls } from './calls/call-bounds.ts';
import { type ChatCall, completeChat, streamChat } from './calls/chat-call.ts';
import { Catalogue, type CatalogueEntry } from './catalogue/catalogue.ts';
import { ProviderStatus } from './catalogue/provider-status.ts';
import type { CallOptions, ChatModel, EmbeddedText, ModelInfo, ModelRequest, Models } from './models.ts';
import { defaultListing, defaultTimeouts, type ModelsOptions } from './models-options.ts';
import { idleHealth, Targets } from './targets/targets.ts';
import { MeterTaps } from './usage/meter-taps.ts';
import { UsageMeter } from './usage/usage-meter.ts';

/** What an unknown model is taken to hold. A model that only quotes its sources reads as many as it is given. */
const usualContextWindow = 128_000;
const extractiveContextWindow = 1_000_000;

/** The pool over its providers. Throws BAD_INPUT when they leave no default chat or embedding model. */
export function createModels(options: ModelsOptions): Models {
  return new ModelPool(options);
}

class ModelPool implements Models {
  readonly defaultEmbeddingModel: string;
  readonly #defaultChatModel: string;
  readonly #totalMs: number;
  readonly #calls = new LiveCalls();
  readonly #catalogue: Catalogue;
  readonly #statuses: ReadonlyMap<object, ProviderStatus>;
  readonly #targets: Targets;
  readonly #taps: MeterTaps;

  constructor(options: ModelsOptions) {
    const { providers } = options;
    this.#catalogue = new Catalogue(providers);
    this.#taps = new MeterTaps(options.onUsage);
    this.#defaultChatModel = defaultOf(
      providers.map(({ chatModel }) => chatModel),
      'chatModel',
    );
    this.defaultEmbeddingModel = defaultOf(
      providers.map(({ embeddingModel }) => embeddingModel),
      'embeddingModel',
    );
    this.#totalMs = options.timeouts?.totalMs ?? defaultTimeouts.totalMs;
    const listing = { ...defaultListing, ...options.listing };
    this.#statuses = new Map(
      providers.map(({ provider }) => [provider, new ProviderStatus(provider, this.#catalogue, listing, this.#calls)]),
    );
    this.#targets = new Targets(options, this.#calls, (provider, error) =>
      this.#statuses.get(provider)?.recordCall(error),
    );
  }

  chatModel(name: string | null): ChatModel {
    const { provider, ...entry } = this.#find(name ?? this.#defaultChatModel, 'CHAT');
    return {
      name: entry.name,
      provider: provider.name,
      generative: provider.generative,
      contextWindow: entry.contextWindow ?? (provider.generative ? usualContextWindow : extractiveContextWindow),
      attachments: entry.attachments,
    };
  }

  chat(request: ModelRequest, options: CallOptions): AsyncIterable<ChatChunk> {
    return streamChat(() => this.#begin(request, options));
  }

  async complete(request: ModelRequest, options: CallOptions): Promise<Completion & { readonly model: string }> {
    const call = this.#begin(request, options);
    return { ...(await completeChat(call)), model: call.entry.name };
  }

  async embed(model: string, text: string, options: CallOptions): Promise<EmbeddedText> {
    const meter = this.#taps.meter(model, options);
    return this.#targets.batcher(this.#find(model, 'EMBEDDING')).embed(text, { ...options, meter });
  }

  async embeddingDimensions(model: string, signal: AbortSignal): Promise<number> {
    const entry = this.#find(model, 'EMBEDDING');
    const known = entry.dimensions ?? this.#targets.batcher(entry).dimensions;
    if (known !== null) return known;
    // Nobody's text on nobody's bill: the batcher shares it between all who ask, and keeps the answer.
    const { vector } = await this.embed(model, 'dimensions', { tenant: '', meter: new UsageMeter(), signal });
    return vector.length;
  }

  async list(signal: AbortSignal): Promise<readonly ModelInfo[]> {
    const refreshed = Promise.all([...this.#statuses.values()].map((status) => status.refresh()));
    try {
      await untilAborted(refreshed, signal);
    } catch (error) {
      throw cancelled('the list of models', error);
    }
    return this.#catalogue.names.map((name) => this.#describe(this.#catalogue.find(name)));
  }

  health(): ReturnType<Models['health']> {
    return [...this.#statuses.values()].map((status) => status.health());
  }

  async close(): Promise<void> {
    this.#calls.close();
    this.#targets.close();
  }

  #begin(request: ModelRequest, options: CallOptions): ChatCall {
    const { signal, timeoutMs } = options;
    const entry = this.#find(request.model ?? this.#defaultChatModel, 'CHAT');
    const target = this.#targets.target(entry);
    const bounds = this.#calls.begin(target.label, signal, Math.min(timeoutMs ?? this.#totalMs, this.#totalMs));
    const meter = this.#taps.meter(entry.name, options);
    return { entry, target, request: { ...request, model: entry.name }, bounds, meter };
  }

  #find(name: string, capability: Capability): CatalogueEntry {
    const entry = this.#catalogue.find(name);
    if (!entry.cannot(capability)) return entry;
    const can = entry.capabilities.join(', ') || 'nothing that is offered here';
    throw new GatewayError(
      'BAD_INPUT',
      `model "${name}" of ${entry.provider.name} was asked for ${capability}, it can ${can}`,
    );
  }

  #describe({ name, provider, capabilities, contextWindow, price }: CatalogueEntry): ModelInfo {
    return {
      name,
      provider: provider.name,
      capabilities,
      contextWindow,
      inputUsdPerMillion: price?.inputUsdPerMillion ?? null,
      outputUsdPerMillion: price?.outputUsdPerMillion ?? null,
      health: this.#targets.known(name)?.health() ?? idleHealth,
    };
  }
}

/** The first provider's own, or that of the first one that has any. */
function defaultOf(names: readonly (string | null)[], option: string): string {
  const name = names.find((candidate) => candidate !== null);
  if (name === undefined)
    throw new GatewayError('BAD_INPUT', `at least one provider must have a default ${option}, none has`);
  return name;
}
