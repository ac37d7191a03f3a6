import { LRUCache } from 'lru-cache';
import { GatewayError } from '../../contracts/gateway-error.ts';
import type { EmbedReply, ModelProvider } from '../../contracts/model-provider.ts';
import type { CallBounds, LiveCalls } from '../calls/call-bounds.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import { EmbeddingBatcher } from '../embeddings/embedding-batcher.ts';
import { EmbeddingCache } from '../embeddings/embedding-cache.ts';
import type { ModelHealth } from '../models.ts';
import {
  defaultBackoff,
  defaultCircuit,
  defaultEmbeddings,
  defaultLimits,
  defaultRetries,
  defaultTimeouts,
  type ModelsOptions,
} from '../models-options.ts';
import { Target, type TargetOptions } from './target.ts';

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
  readonly #options: TargetOptions;
  readonly #embeddings;
  readonly #totalMs: number;
  readonly #cache: EmbeddingCache;
  readonly #calls: LiveCalls;
  readonly #onOutcome: (provider: ModelProvider, error: unknown) => void;

  constructor(options: ModelsOptions, calls: LiveCalls, onOutcome: (provider: ModelProvider, error: unknown) => void) {
    const timeouts = { ...defaultTimeouts, ...options.timeouts };
    this.#options = {
      ...defaultLimits,
      ...options.limits,
      silence: timeouts,
      retry: { retries: options.retries ?? defaultRetries, ...defaultBackoff, ...options.backoff },
      circuit: { ...defaultCircuit, ...options.circuit },
    };
    this.#embeddings = { ...defaultEmbeddings, ...options.embeddings };
    this.#totalMs = timeouts.totalMs;
    this.#cache = new EmbeddingCache(this.#embeddings.cacheBytes);
    this.#calls = calls;
    this.#onOutcome = onOutcome;
  }

  target({ name, provider }: CatalogueEntry): Target {
    const known = this.#targets.get(name);
    if (known !== undefined) return known;
    const target = new Target(`${name} (${provider.name})`, this.#options, (error) => this.#onOutcome(provider, error));
    this.#targets.set(name, target);
    return target;
  }

  batcher(entry: CatalogueEntry): EmbeddingBatcher {
    const known = this.#batchers.get(entry.name);
    if (known !== undefined) return known;
    const target = this.target(entry);
    const batcher = new EmbeddingBatcher(
      {
        model: entry.name,
        label: target.label,
        limits: entry.provider.embeddingLimits,
        price: entry.price,
        totalMs: this.#totalMs,
        cache: this.#cache,
        calls: this.#calls,
        embed: (texts, call) => embed(target, entry, texts, call),
      },
      this.#embeddings,
    );
    this.#batchers.set(entry.name, batcher);
    return batcher;
  }

  /** Null: never called. */
  known(name: string): Target | null {
    return this.#targets.peek(name) ?? null;
  }

  close(): void {
    for (const batcher of this.#batchers.values()) batcher.close();
    this.#cache.clear();
  }
}

function embed(target: Target, entry: CatalogueEntry, texts: readonly string[], call: CallBounds): Promise<EmbedReply> {
  const { name: model, provider, dimensions } = entry;
  const request = dimensions === null ? { model, texts } : { model, texts, dimensions };
  const work = async (signal: AbortSignal) => {
    const reply = await provider.embed(request, signal);
    if (reply.vectors.length === texts.length) return reply;
    // A vector too few would give every later text its neighbour's meaning.
    throw new GatewayError(
      'UPSTREAM_UNAVAILABLE',
      `${target.label} must send ${texts.length} vectors for as many texts, got ${reply.vectors.length}`,
      { retryable: true },
    );
  };
  return target.run(call, work, true);
}
