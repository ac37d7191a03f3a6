import { LRUCache } from 'lru-cache';
import { GatewayError } from '../../contracts/gateway-error.ts';
import type { EmbedReply, ModelProvider } from '../../contracts/model-provider.ts';
import type { LiveCalls } from '../calls/call-bounds.ts';
import type { Job } from '../calls/job.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import { EmbeddingBatcher } from '../embeddings/embedding-batcher.ts';
import { EmbeddingCache } from '../embeddings/embedding-cache.ts';
import { type EmbeddingCall, sumOfTokens } from '../embeddings/embedding-job.ts';
import { ModelVectors } from '../embeddings/model-vectors.ts';
import { StoredEmbeddings } from '../embeddings/stored-embeddings.ts';
import { ProviderKey, TargetKey } from '../limits/keys.ts';
import type { ModelHealth } from '../models.ts';
import {
  defaultBackoff,
  defaultCircuit,
  defaultEmbeddings,
  defaultLimits,
  defaultRetries,
  defaultRetryBudget,
  defaultTimeouts,
  type ModelsOptions,
} from '../models-options.ts';
import { type TryOptions, tryTargets } from '../routes/try-targets.ts';
import { Target } from './target.ts';

/** Clients choose names freely; what stands around a name that was not used for long is forgotten. */
const mostTargets = 1_000;

export const idleHealth: ModelHealth = {
  circuit: 'CLOSED',
  inFlight: 0,
  queued: 0,
  p50Ms: null,
  p95Ms: null,
  errorRate: 0,
  callsLastMinute: 0,
};

/** Makes what stands around a model, its target and its batcher, when it is first called, and keeps it. */
export class Targets {
  readonly #targets = new LRUCache<string, Target>({ max: mostTargets });
  readonly #batchers = new LRUCache<string, EmbeddingBatcher>({ max: mostTargets });
  readonly #keys: ReadonlyMap<ModelProvider, readonly ProviderKey[]>;
  readonly #options: ModelsOptions;
  readonly #timeouts;
  readonly #tryOptions: TryOptions;
  readonly #embeddings;
  readonly #cache: EmbeddingCache;
  readonly #stored: StoredEmbeddings | null;
  readonly #calls: LiveCalls;
  readonly #onOutcome: (provider: ModelProvider, error: unknown) => void;

  constructor(options: ModelsOptions, calls: LiveCalls, onOutcome: (provider: ModelProvider, error: unknown) => void) {
    this.#options = options;
    this.#timeouts = { ...defaultTimeouts, ...options.timeouts };
    this.#tryOptions = {
      ...{ ...defaultBackoff, ...options.backoff },
      retries: options.retries ?? defaultRetries,
      observer: options.observer,
    };
    this.#keys = new Map(
      options.providers.map(({ provider, moreKeys = [] }) => [provider, keysOf(provider, moreKeys)]),
    );
    this.#embeddings = { ...defaultEmbeddings, ...options.embeddings };
    this.#cache = new EmbeddingCache(this.#embeddings.cacheBytes);
    const { maxStored, storedUnusedMs } = this.#embeddings;
    const store = maxStored === 0 ? undefined : options.embeddingStore;
    this.#stored =
      store === undefined ? null : new StoredEmbeddings({ store, keep: maxStored, unusedForMs: storedUnusedMs });
    this.#calls = calls;
    this.#onOutcome = onOutcome;
  }

  target(entry: CatalogueEntry): Target {
    const { name, provider } = entry;
    const known = this.#targets.get(nameOf(entry));
    if (known !== undefined) return known;
    const { rateLimiter = null, spending, observer } = this.#options;
    const limits = { ...defaultLimits, ...this.#options.limits, ...entry.limits };
    if (rateLimiter === null && (limits.requestsPerMinute ?? limits.tokensPerMinute) !== null) {
      throw new GatewayError('BAD_INPUT', `${name} has limits per minute: createModels needs a rateLimiter, got none`);
    }
    const keys = (this.#keys.get(provider) ?? []).map((key) => new TargetKey(key, name, limits, rateLimiter));
    const target = new Target(entry, keys, {
      limits: { ...limits, longestWaitMs: this.#tryOptions.longestRetryAfterMs },
      silence: this.#timeouts,
      circuit: { ...defaultCircuit, ...this.#options.circuit },
      retryBudget: { ...defaultRetryBudget, ...this.#options.retryBudget },
      ...{ spending, observer },
      onOutcome: (error) => this.#onOutcome(provider, error),
    });
    this.#targets.set(nameOf(entry), target);
    return target;
  }

  batcher(entry: CatalogueEntry): EmbeddingBatcher {
    const known = this.#batchers.get(nameOf(entry));
    if (known !== undefined) return known;
    const target = this.target(entry);
    const batcher = new EmbeddingBatcher(
      {
        model: entry.name,
        label: target.label,
        limits: entry.provider.embeddingLimits,
        price: entry.price,
        totalMs: this.#timeouts.totalMs,
        spending: this.#options.spending,
        vectors: new ModelVectors({
          entry,
          memory: this.#cache,
          // What this process computes itself costs nothing, and comes as fast as an answer of the database.
          stored: entry.provider.generative ? this.#stored : null,
          observer: this.#options.observer,
        }),
        calls: this.#calls,
        embed: (call) => embed(target, call, this.#tryOptions),
      },
      this.#embeddings,
    );
    this.#batchers.set(nameOf(entry), batcher);
    return batcher;
  }

  /** Null: never called. */
  known(entry: CatalogueEntry): Target | null {
    return this.#targets.peek(nameOf(entry)) ?? null;
  }

  async close(): Promise<void> {
    for (const batcher of this.#batchers.values()) batcher.close();
    this.#cache.clear();
    await this.#stored?.close();
  }
}

const nameOf = ({ name, provider }: CatalogueEntry): string => `${provider.name}/${name}`;

/** Shared rates are kept under a key's place in the configuration, which all instances have. */
function keysOf(provider: ModelProvider, more: readonly ModelProvider[]): readonly ProviderKey[] {
  return [provider, ...more].map((keyed, index) => new ProviderKey(keyed, `${provider.name} ${index}`));
}

/** One call for many: of no tenant, in the queue as one caller among the tenants. Who pays what is the batcher's matter. */
async function embed(target: Target, call: EmbeddingCall, options: TryOptions): Promise<EmbedReply> {
  const { name: model, dimensions } = target.entry;
  const texts = call.jobs.map(({ text }) => text);
  const request = dimensions === null ? { model, texts } : { model, texts, dimensions };
  const job: Job = {
    kind: 'embedding',
    bounds: call.bounds,
    ...{ tenant: '', payer: null, route: null },
    get inputTokens() {
      return sumOfTokens(call.jobs);
    },
    ...{ isInputUncounted: false, maxOutputTokens: null, choices: 1 },
    spent: () => {},
    attempts: 0,
  };
  const answer = await tryTargets(
    job,
    [target],
    call.bounds.signal,
    (_, how) =>
      target.run(
        job,
        how,
        async (provider, signal, hear) => {
          const reply = await provider.embed(request, signal, hear);
          if (reply.vectors.length === texts.length) return reply;
          // A vector too few would give every later text its neighbour's meaning.
          throw new GatewayError(
            'UPSTREAM_UNAVAILABLE',
            `${target.label} must send ${texts.length} vectors for as many texts, got ${reply.vectors.length}`,
            { retryable: true },
          );
        },
        true,
      ),
    options,
  );
  const tokens = { inputTokens: answer.value.tokens ?? sumOfTokens(call.jobs), cachedInputTokens: 0, outputTokens: 0 };
  answer.end({ tokens, estimated: answer.value.tokens === null }, null);
  return answer.value;
}
