import type { Capability, ModelProvider } from '../contracts/model-provider.ts';
import type { PoolObserver } from '../contracts/pool-observer.ts';
import type { Spending } from '../contracts/spending.ts';
import type { Usage } from '../contracts/usage.ts';
import type { BatcherOptions } from './embeddings/embedding-batcher.ts';
import type { TargetOptions } from './targets/target.ts';

/** What `createModels` is given. Every number has a default. */
export interface ModelsOptions {
  /** In order of preference: names nobody knows go to the first. At least one. */
  readonly providers: readonly ProviderOptions[];
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** Further attempts after the first, before the first chunk only. */
  readonly retries?: number | undefined;
  readonly limits?: Partial<PoolLimits> | undefined;
  readonly embeddings?: Partial<EmbeddingOptions> | undefined;
  readonly circuit?: Partial<TargetOptions['circuit']> | undefined;
  readonly backoff?: Partial<Omit<TargetOptions['retry'], 'retries'>> | undefined;
  readonly listing?: Partial<ListingOptions> | undefined;
  /** Hears of every call's cost, beside the caller's own meter. */
  readonly onUsage?: ((spent: Spent) => unknown) | undefined;
  /** Asked before every single provider call; left out: nothing is refused. */
  readonly spending?: Spending | undefined;
  readonly observer?: PoolObserver | undefined;
}

export interface Spent {
  readonly tenant: string;
  readonly model: string;
  readonly usage: Usage;
}

export interface ProviderOptions {
  readonly provider: ModelProvider;
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

/** Per model. */
export interface PoolLimits {
  readonly maxConcurrent: number;
  readonly maxQueued: number;
}

export interface EmbeddingOptions extends BatcherOptions {
  /** All vectors kept in memory, over all models. */
  readonly cacheBytes: number;
}

export interface ListingOptions {
  /** How long a provider may take to list its models, and how long its answer holds. */
  readonly probeMs: number;
  readonly freshMs: number;
}

export const defaultTimeouts: Timeouts = { firstTokenMs: 60_000, idleMs: 30_000, totalMs: 600_000 };
export const defaultRetries = 2;
export const defaultLimits: PoolLimits = { maxConcurrent: 512, maxQueued: 2_048 };
export const defaultCircuit: TargetOptions['circuit'] = {
  calls: 20,
  failureRate: 0.5,
  minimumCalls: 10,
  openMs: 10_000,
};
export const defaultBackoff: Omit<TargetOptions['retry'], 'retries'> = {
  backoffMs: 500,
  longestBackoffMs: 8_000,
  longestRetryAfterMs: 60_000,
};
export const defaultListing: ListingOptions = { probeMs: 2_000, freshMs: 30_000 };
export const defaultEmbeddings: EmbeddingOptions = {
  concurrentCalls: 4,
  gatherMs: 10,
  maxWaitingTexts: 20_000,
  shareBetweenTenants: false,
  cacheBytes: 64 * 1024 * 1024,
};
