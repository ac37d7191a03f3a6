import type { CacheKind, PoolObserver } from '../../contracts/pool-observer.ts';
import type { ResponseCache } from '../../contracts/response-cache.ts';
import type { CallOptions, ChatModel, EmbeddedText, ModelInfo, ModelRequest, Models, PoolChunk } from '../models.ts';
import { askSimilar } from './ask-similar.ts';
import { Flights, type SharedCall } from './flights.ts';
import { keptCall } from './kept-call.ts';
import { completionCodec, type Reply, type ReplyCodec, streamCodec } from './reply-codec.ts';
import { requestKey } from './request-key.ts';
import { isShared, type SharingPolicy } from './sharing-policy.ts';
import { SimilarReplies } from './similar-replies.ts';

export interface SharingOptions {
  readonly policyOf: (model: ChatModel) => SharingPolicy;
  readonly cache: ResponseCache;
  /** Of what a similar question may be answered with again, in this process. */
  readonly similarBytes?: number;
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
  readonly #similar: SimilarReplies;

  constructor(models: Models, options: SharingOptions) {
    this.#models = models;
    this.#options = options;
    this.#similar = new SimilarReplies(options.similarBytes ?? 0);
  }

  get defaultEmbeddingModel(): string {
    return this.#models.defaultEmbeddingModel;
  }

  chatModel(name: string | null): ChatModel {
    return this.#models.chatModel(name);
  }

  chat(request: ModelRequest, options: CallOptions): AsyncIterable<PoolChunk> {
    const shared = this.#shared(request);
    if (shared === null) return this.#models.chat(request, options);
    const begin = (joint: CallOptions) => this.#models.chat(request, joint);
    return this.#streams.read(this.#call(shared, { kind: 'chat', request, options, codec: streamCodec, begin }));
  }

  async complete(request: ModelRequest, options: CallOptions): Promise<Reply> {
    const models = this.#models;
    const shared = this.#shared(request);
    if (shared === null) return models.complete(request, options);
    async function* begin(joint: CallOptions) {
      yield await models.complete(request, joint);
    }
    const call = this.#call(shared, { kind: 'complete', request, options, codec: completionCodec, begin });
    let last: Reply | null = null;
    // To the end: leaving before it would abort the call.
    for await (const reply of this.#replies.read(call)) last = reply;
    // Cannot be null: a call without a reply rejects. The check is for the type.
    if (last === null) throw new Error(`${call.label} ended without a reply`);
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

  /** What may be shared of this request; null: it goes by itself. */
  #shared(request: ModelRequest): Shared | null {
    try {
      const model = this.#models.chatModel(request.model);
      const policy = this.#options.policyOf(model);
      return isShared(request, policy) ? { model, policy } : null;
    } catch {
      // A name that cannot chat: the pool says so, where the caller expects it.
      return null;
    }
  }

  /** One look serves all who share the call, and so does one call. */
  #call<Item>(shared: Shared, asked: Asked<Item>): SharedCall<Item> {
    const { model } = shared;
    const { kind, request, options } = asked;
    return {
      key: requestKey(options.tenant, kind, nameOf(model), request),
      options,
      label: `${model.name} (${model.provider})`,
      onLook: (isHit) => this.#looked('coalesced', model, isHit),
      begin: (joint) => this.#kept(shared, asked, joint),
    };
  }

  /** The very same question is looked for first, then one that means the same. */
  #kept<Item>({ model, policy }: Shared, asked: Asked<Item>, joint: CallOptions): AsyncIterable<Item> {
    const { cache } = this.#options;
    const { kind, request, codec } = asked;
    const similar =
      policy.semantic === null
        ? null
        : askSimilar(
            { models: this.#models, replies: this.#similar, policy: policy.semantic, options: joint },
            ...([kind, nameOf(model), request] as const),
          );
    let isAgain = false;
    const call = () => asked.begin(joint);
    const unlessSimilar = () => {
      if (similar === null) return call();
      const onLook = (isHit: boolean) => {
        isAgain = isHit;
        this.#looked('semantic', model, isHit);
      };
      return keptCall({ ...similar, codec, begin: call, onLook });
    };
    if (policy.cache === null) return unlessSimilar();
    const { ttlMs } = policy.cache;
    const key = requestKey(joint.tenant, kind, nameOf(model), request);
    return keptCall({
      codec,
      find: () => cache.get(key),
      // What was kept already does not begin its time anew.
      keep: (reply) => void (isAgain || cache.set(key, reply, ttlMs)),
      begin: unlessSimilar,
      onLook: (isHit) => this.#looked('exact', model, isHit),
    });
  }

  #looked(kind: CacheKind, { name }: ChatModel, isHit: boolean): void {
    this.#options.observer?.cache(kind, name, isHit);
  }
}

/** Models of one name at two providers are two. */
const nameOf = ({ provider, name }: ChatModel): string => `${provider}/${name}`;

interface Shared {
  readonly model: ChatModel;
  readonly policy: SharingPolicy;
}

interface Asked<Item> {
  readonly kind: 'chat' | 'complete';
  readonly request: ModelRequest;
  readonly options: CallOptions;
  readonly codec: ReplyCodec<Item>;
  begin(options: CallOptions): AsyncIterable<Item>;
}
