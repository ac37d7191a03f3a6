import type { EmbeddingStore } from '../contracts/embedding-store.ts';
import type { Capability, ModelProvider } from '../contracts/model-provider.ts';
import type { PoolObserver } from '../contracts/pool-observer.ts';
import type { RateLimiter } from '../contracts/rate-limiter.ts';
import type { Spending } from '../contracts/spending.ts';
import type { Usage } from '../contracts/usage.ts';
import type { GateOptions } from './embeddings/embedding-gate.ts';
import type { RouteOptions } from './routes/route-options.ts';
import type { CircuitOptions } from './targets/circuit.ts';
import type { RetryBudgetOptions } from './targets/retry-budget.ts';

/** What `createModels` is given. Every number has a default. */
export interface ModelsOptions {
  /** In order of preference: names nobody knows go to the first. At least one. */
  readonly providers: readonly ProviderOptions[];
  readonly routes?: readonly RouteOptions[] | undefined;
  /** A model or a route; left out: the first provider's that has one. */
  readonly chatModel?: string | undefined;
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** Further attempts after the first, before the first chunk only. */
  readonly retries?: number | undefined;
  /** Of every model whose provider, or which itself, says nothing else. */
  readonly limits?: Partial<TargetLimits> | undefined;
  /** Where rates per minute are counted; needed only where there are any. */
  readonly rateLimiter?: RateLimiter | undefined;
  readonly embeddings?: Partial<EmbeddingOptions> | undefined;
  /** The second level of the cache of vectors, of models that are not computed here; left out: there is none. */
  readonly embeddingStore?: EmbeddingStore | undefined;
  readonly circuit?: Partial<CircuitOptions> | undefined;
  readonly backoff?: Partial<BackoffOptions> | undefined;
  readonly retryBudget?: Partial<RetryBudgetOptions> | undefined;
  readonly listing?: Partial<ListingOptions> | undefined;
  /** Hears of every call's cost, beside the caller's own meter. */
  readonly onUsage?: ((spent: Spent) => unknown) | undefined;
  /** Asked before every single provider call; left out: nothing is refused. */
  readonly spending?: Spending | undefined;
  readonly observer?: PoolObserver | undefined;
  /** 0..1, for whatever is drawn by lot. */
  readonly random?: (() => number) | undefined;
}

export interface Spent {
  readonly tenant: string;
  readonly model: string;
  readonly usage: Usage;
}

export interface ProviderOptions {
  readonly provider: ModelProvider;
  /** The same provider by further keys: calls are spread over all of them. */
  readonly moreKeys?: readonly ModelProvider[] | undefined;
  /** Only names that stand here or on its list go to it, even if it is the first. */
  readonly closed?: boolean | undefined;
  /** Of each of its models. */
  readonly limits?: Partial<TargetLimits> | undefined;
  /** The default models of this provider; null where it has none. Both are known names: they are always routed here. */
  readonly chatModel: string | null;
  readonly embeddingModel: string | null;
  /** Further names that are routed here, and what is known about any of its models. */
  readonly models?: readonly ConfiguredModel[] | undefined;
}

/** What is left out comes from gpt-tokenizer's table, then from the provider's own list, then from the defaults. */
export interface ConfiguredModel {
  readonly name: string;
  readonly capabilities?: readonly Capability[] | undefined;
  /** Tokens of input and output together. */
  readonly contextWindow?: number | undefined;
  /** Tokens that it writes at most. */
  readonly maxOutputTokens?: number | undefined;
  readonly limits?: Partial<TargetLimits> | undefined;
  readonly inputUsdPerMillion?: number | undefined;
  /** Default: the input price. */
  readonly cachedInputUsdPerMillion?: number | undefined;
  /** Default: 0, which is right for embeddings. */
  readonly outputUsdPerMillion?: number | undefined;
  /** MIME types it reads; entries may end in /*. */
  readonly attachments?: readonly string[] | undefined;
  /** Asks an embedding model for vectors of this length, shorter than its own. */
  readonly dimensions?: number | undefined;
}

export interface Timeouts {
  readonly firstTokenMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
}

/** Of one model of one provider. */
export interface TargetLimits {
  /** Provider calls at once, over all keys, and how many may wait. */
  readonly maxConcurrent: number;
  readonly maxQueued: number;
  /** Of each key; null: no limit that we know of. */
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
}

export interface BackoffOptions {
  /** The first backoff is random in 0..this, the next in 0..twice this, and so on up to `longestBackoffMs`. */
  readonly backoffMs: number;
  readonly longestBackoffMs: number;
  /** A provider that wants a longer pause than this is not waited for. */
  readonly longestRetryAfterMs: number;
}

export interface BatcherOptions extends GateOptions {
  /** Texts of one tenant that may wait for one model. */
  readonly maxWaitingTexts: number;
  /** One vector for all who ask for the same text. Saves calls; lets a tenant tell by the time whether another has asked. */
  readonly shareBetweenTenants: boolean;
}

export interface EmbeddingOptions extends BatcherOptions {
  /** All vectors kept in memory, over all models. */
  readonly cacheBytes: number;
  /** Vectors kept in the embedding store, over all tenants; 0: none. */
  readonly maxStored: number;
  /** How long one is kept there that nobody uses. */
  readonly storedUnusedMs: number;
}

export interface ListingOptions {
  /** How long a provider may take to list its models, and how long its answer holds. */
  readonly probeMs: number;
  readonly freshMs: number;
}

export const defaultTimeouts: Timeouts = { firstTokenMs: 60_000, idleMs: 30_000, totalMs: 600_000 };
export const defaultRetries = 2;
export const defaultLimits: TargetLimits = {
  maxConcurrent: 512,
  maxQueued: 2_048,
  requestsPerMinute: null,
  tokensPerMinute: null,
};
export const defaultCircuit: CircuitOptions = {
  calls: 20,
  failureRate: 0.5,
  minimumCalls: 10,
  openMs: 10_000,
};
export const defaultBackoff: BackoffOptions = {
  backoffMs: 500,
  longestBackoffMs: 8_000,
  longestRetryAfterMs: 60_000,
};
export const defaultRetryBudget: RetryBudgetOptions = { share: 0.2, perMinute: 30 };
export const defaultListing: ListingOptions = { probeMs: 2_000, freshMs: 30_000 };
export const defaultEmbeddings: EmbeddingOptions = {
  concurrentCalls: 4,
  gatherMs: 10,
  maxWaitingTexts: 20_000,
  shareBetweenTenants: false,
  cacheBytes: 64 * 1024 * 1024,
  maxStored: 100_000,
  storedUnusedMs: 30 * 86_400_000,
};
