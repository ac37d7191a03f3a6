import type { Completion } from '../../contracts/model-provider.ts';
import type { PoolObserver } from '../../contracts/pool-observer.ts';
import type { CallOptions, ChatModel, EmbeddedText, ModelInfo, ModelRequest, Models, PoolChunk } from '../models.ts';
import { Flights } from './flights.ts';
import { requestKey } from './request-key.ts';
import { isShared, type SharingPolicy } from './sharing-policy.ts';

type Reply = Completion & { readonly model: string };

export interface SharingOptions {
  readonly policyOf: (model: ChatModel) => SharingPolicy;
  readonly observer?: Pick<PoolObserver, 'cache'> | undefined;
}

/** The same pool, in which identical generations of one tenant cost one provider call. */
export function shareModels(models: Models, options: SharingOptions): Models {
  return new SharedModels(models, options);
}

class SharedModels implements Models {
  readonly #models: Models;
  readonly #options: SharingOptions;
  readonly #streams = new Flights<PoolChunk>();
  readonly #replies = new Flights<Reply>();

  constructor(models: Models, options: SharingOptions) {
    this.#models = models;
    this.#options = options;
  }

  get defaultEmbeddingModel(): string {
    return this.#models.defaultEmbeddingModel;
  }

  chatModel(name: string | null): ChatModel {
    return this.#models.chatModel(name);
  }

  chat(request: ModelRequest, options: CallOptions): AsyncIterable<PoolChunk> {
    const model = this.#sharing(request);
    if (model === null) return this.#models.chat(request, options);
    return this.#streams.read({
      ...this.#call('chat', model, request, options),
      begin: (shared) => this.#models.chat(request, shared),
    });
  }

  async complete(request: ModelRequest, options: CallOptions): Promise<Reply> {
    const model = this.#sharing(request);
    if (model === null) return this.#models.complete(request, options);
    const models = this.#models;
    const replies = this.#replies.read({
      ...this.#call('complete', model, request, options),
      async *begin(shared) {
        yield await models.complete(request, shared);
      },
    });
    let last: Reply | null = null;
    // To the end: leaving before it would abort the call.
    for await (const reply of replies) last = reply;
    // Cannot be null: a call without a reply rejects. The check is for the type.
    if (last === null) throw new Error(`${model.name} ended without a reply`);
    return last;
  }

  embed(model: string, text: string, options: CallOptions): Promise<EmbeddedText> {
    return this.#models.embed(model, text, options);
  }

  embeddingDimensions(model: string, signal: AbortSignal): Promise<number> {
    return this.#models.embeddingDimensions(model, signal);
  }

  list(signal: AbortSignal): Promise<readonly ModelInfo[]> {
    return this.#models.list(signal);
  }

  health(): ReturnType<Models['health']> {
    return this.#models.health();
  }

  close(): Promise<void> {
    return this.#models.close();
  }

  /** The model whose answer may be shared; null: this request goes by itself. */
  #sharing(request: ModelRequest): ChatModel | null {
    try {
      const model = this.#models.chatModel(request.model);
      return isShared(request, this.#options.policyOf(model)) ? model : null;
    } catch {
      // A name that cannot chat: the pool says so, where the caller expects it.
      return null;
    }
  }

  #call(kind: 'chat' | 'complete', { name, provider, route }: ChatModel, request: ModelRequest, options: CallOptions) {
    // Two providers may have a model of the same name, and a route too.
    const place = route === null ? `${provider}/${name}` : `route ${name}`;
    return {
      key: requestKey(options.tenant, kind, place, request),
      label: `${name} (${provider})`,
      options,
      onLook: (isHit: boolean) => this.#options.observer?.cache('coalesced', name, isHit),
    };
  }
}
