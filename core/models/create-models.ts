import { GatewayError } from '../contracts/gateway-error.ts';
import type { Completion } from '../contracts/model-provider.ts';
import { untilAborted } from './calls/abortable.ts';
import { cancelled, LiveCalls } from './calls/call-bounds.ts';
import { type ChatCall, completeChat, streamChat } from './calls/chat-call.ts';
import { ChatJob } from './calls/chat-job.ts';
import { InputTokens } from './calls/job.ts';
import { Catalogue, type CatalogueEntry } from './catalogue/catalogue.ts';
import { chatModelOf } from './catalogue/chat-model.ts';
import { ProviderStatus } from './catalogue/provider-status.ts';
import type { CallOptions, ChatModel, EmbeddedText, ModelInfo, ModelRequest, Models, PoolChunk } from './models.ts';
import {
  defaultBackoff,
  defaultListing,
  defaultRetries,
  defaultTimeouts,
  type ModelsOptions,
} from './models-options.ts';
import { RouteTable } from './routes/route-table.ts';
import { Router } from './routes/router.ts';
import { labelOf } from './targets/target.ts';
import { idleHealth, Targets } from './targets/targets.ts';
import { MeterTaps } from './usage/meter-taps.ts';
import { UsageMeter } from './usage/usage-meter.ts';

/** The pool over its providers. Throws BAD_INPUT when they leave no default chat or embedding model, or when routes are at fault. */
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
  readonly #table: RouteTable;
  readonly #router: Router;
  readonly #taps: MeterTaps;

  constructor(options: ModelsOptions) {
    const { providers, routes = [], observer } = options;
    this.#catalogue = new Catalogue(
      providers,
      routes.flatMap(({ targets }) => targets),
    );
    this.#table = new RouteTable(routes, providers, this.#catalogue);
    this.#taps = new MeterTaps(options.onUsage);
    this.#defaultChatModel = defaultOf(
      [options.chatModel ?? null, ...providers.map(({ chatModel }) => chatModel)],
      'chatModel',
    );
    // A default that leads nowhere is a fault of the configuration, not of every request.
    this.#table.plan(this.#defaultChatModel, 'CHAT');
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
    this.#router = new Router({
      table: this.#table,
      targetOf: (entry) => this.#targets.target(entry),
      random: options.random ?? Math.random,
      options: { ...defaultBackoff, ...options.backoff, retries: options.retries ?? defaultRetries, observer },
    });
  }

  chatModel(name: string | null): ChatModel {
    return chatModelOf(this.#table.plan(name ?? this.#defaultChatModel, 'CHAT'));
  }

  chat(request: ModelRequest, options: CallOptions): AsyncIterable<PoolChunk> {
    return streamChat(this.#router, () => this.#begin(request, options));
  }

  async complete(request: ModelRequest, options: CallOptions): Promise<Completion & { readonly model: string }> {
    return completeChat(this.#router, this.#begin(request, options));
  }

  async embed(model: string, text: string, options: CallOptions): Promise<EmbeddedText> {
    const entry = this.#embedder(model);
    const meter = this.#taps.meter(entry.name, options);
    return this.#targets.batcher(entry).embed(text, { ...options, meter });
  }

  async embeddingDimensions(model: string, signal: AbortSignal): Promise<number> {
    const entry = this.#embedder(model);
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
    return this.#catalogue.entries.map((entry) => this.#describe(entry));
  }

  health(): ReturnType<Models['health']> {
    return [...this.#statuses.values()].map((status) => status.health());
  }

  async close(): Promise<void> {
    this.#calls.close();
    await this.#targets.close();
  }

  #begin(request: ModelRequest, options: CallOptions): ChatCall {
    const { signal, timeoutMs } = options;
    const plan = this.#table.plan(request.model ?? this.#defaultChatModel, 'CHAT');
    const input = new InputTokens(request);
    const label = plan.route === null ? labelOf(plan.choices[0].entry) : `route ${plan.name}`;
    const bounds = this.#calls.begin(label, signal, Math.min(timeoutMs ?? this.#totalMs, this.#totalMs));
    const job = new ChatJob({ request, options, bounds, route: plan.route?.name ?? null, input, taps: this.#taps });
    return { job, plan, input, request };
  }

  #embedder(name: string): CatalogueEntry {
    const { entry } = this.#table.plan(name, 'EMBEDDING').choices[0];
    return entry;
  }

  #describe(entry: CatalogueEntry): ModelInfo {
    const { name, provider, capabilities, contextWindow, price } = entry;
    return {
      name,
      provider: provider.name,
      capabilities,
      contextWindow,
      inputUsdPerMillion: price?.inputUsdPerMillion ?? null,
      outputUsdPerMillion: price?.outputUsdPerMillion ?? null,
      routes: this.#table.routesOf(entry),
      health: this.#targets.known(entry)?.health() ?? idleHealth,
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
