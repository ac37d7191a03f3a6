import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { EmbedReply, EmbedRequest, ModelProvider, ProviderModel } from '../../core/contracts/model-provider.ts';
import { cancelled, EmbeddingPool, type LoadTime } from './embedding-pool.ts';
import type { Similarity } from './extractive-answer.ts';
import { extractiveChunks, extractiveCompletion, extractiveModel } from './extractive-chat.ts';

export interface LocalProviderOptions {
  /** Threads that embed, each with its own copy of the model (about 230 MB). Default: one less than cores, at most 2. */
  readonly workers?: number;
  /** When the embedding model is loaded, which takes a second and its memory; by default at once. */
  readonly load?: LoadTime;
}

export interface LocalProvider extends ModelProvider {
  /** The embedding model is loaded, for which a first call may have to come. Rejects when it cannot be; calls before it wait. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

const embeddingModel = 'all-MiniLM-L6-v2';
const dimensions = 384;
/** Texts are embedded one by one: a large call would only keep those in it that were done first waiting for the last. */
const embeddingLimits = { maxTexts: 8, maxTokens: 1_000_000 };
/** The model reads 256 tokens. The rest of a long text would only be tokenised, for most of a second per megabyte. */
const readCharacters = 8_000;
/** An answer does not wait longer for the meaning of its sentences, nor behind more calls: then their words decide. */
const similarityTimeoutMs = 1_500;
const similarityQueue = 4;

const models: readonly ProviderModel[] = [
  { name: embeddingModel, capabilities: ['EMBEDDING'], contextWindow: 256 },
  { name: extractiveModel, capabilities: ['CHAT'], contextWindow: null },
];

/** Models that need no key and no network: MiniLM embeddings in worker threads, and an answerer that only quotes. */
export function localProvider(options: LocalProviderOptions = {}): LocalProvider {
  const workers = options.workers ?? Math.max(1, Math.min(2, availableParallelism() - 1));
  if (!Number.isInteger(workers) || workers < 1 || workers > 64) {
    throw new GatewayError('BAD_INPUT', `workers of the local provider must be 1–64, got ${workers}`);
  }
  const pool = new EmbeddingPool({ workers, load: options.load ?? 'at-once', spawn: startWorker });

  return {
    name: 'local',
    generative: false,
    embeddingLimits,
    ready: pool.ready,
    close: () => pool.close(),

    async models(signal) {
      if (signal.aborted) throw cancelled(signal);
      return models;
    },
    chat: (request, signal) => extractiveChunks(request, similarity(signal), signal),
    complete: (request, signal) => extractiveCompletion(request, similarity(signal), signal),

    async embed(request, signal): Promise<EmbedReply> {
      checkEmbedding(request);
      const texts = request.texts.map((text) => text.slice(0, readCharacters));
      // The library shows neither its tokenizer nor a count.
      return { vectors: await pool.embed(texts, signal), tokens: null };
    },
  };

  function similarity(signal: AbortSignal): Similarity {
    return async (text, others) => {
      if (pool.isLoading || pool.openCalls > similarityQueue * workers) return null;
      try {
        const bounded = AbortSignal.any([signal, AbortSignal.timeout(similarityTimeoutMs)]);
        const [asked, ...vectors] = await pool.embed([text, ...others], bounded);
        return vectors.map((vector) => cosine(asked, vector));
      } catch (error) {
        if (signal.aborted) throw error;
        // Too slow, or the thread died: an answer from the words alone is better than none.
        return null;
      }
    };
  }
}

function startWorker(): Worker {
  // The same ending as this file: .ts in the repository, .js in a built package.
  const script = new URL(`./embedding-worker${extname(import.meta.url)}`, import.meta.url);
  return new Worker(script, { name: 'local-embedding', execArgv: [] });
}

function checkEmbedding({ model, texts, dimensions: asked }: EmbedRequest): void {
  if (model !== embeddingModel) {
    throw new GatewayError(
      'BAD_INPUT',
      `model must be "${embeddingModel}" to embed with the local provider, got "${model}"`,
    );
  }
  if (asked !== undefined && asked !== dimensions) {
    throw new GatewayError('BAD_INPUT', `dimensions of ${embeddingModel} must be ${dimensions}, got ${asked}`);
  }
  if (texts.length > embeddingLimits.maxTexts) {
    throw new GatewayError(
      'BAD_INPUT',
      `texts must be at most ${embeddingLimits.maxTexts} in one call, got ${texts.length}`,
    );
  }
  const empty = texts.indexOf('');
  if (empty >= 0) throw new GatewayError('BAD_INPUT', `texts must hold no empty text, got one at ${empty}`);
}

/** Of unit vectors: their dot product. */
function cosine(left: Float32Array | undefined, right: Float32Array): number {
  return left?.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0) ?? 0;
}
