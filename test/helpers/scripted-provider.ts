import { hash } from 'node:crypto';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type {
  ChatChunk,
  ChatRequest,
  Completion,
  EmbeddingLimits,
  EmbedReply,
  EmbedRequest,
  ModelProvider,
  ProviderModel,
} from '../../core/contracts/model-provider.ts';
import { countTokens } from '../../core/text/tokens.ts';

/** One call as the provider saw it. `over` is false while it runs. */
export interface SeenCall<Request> {
  readonly request: Request;
  readonly signal: AbortSignal;
  over: boolean;
}

/** What the n-th call (from 1) of a kind does. */
export interface Script {
  readonly name?: string;
  readonly generative?: boolean;
  readonly embeddingLimits?: EmbeddingLimits;
  chat?(request: ChatRequest, signal: AbortSignal, call: number): AsyncIterable<ChatChunk>;
  complete?(request: ChatRequest, signal: AbortSignal, call: number): Promise<Completion>;
  embed?(request: EmbedRequest, signal: AbortSignal, call: number): Promise<EmbedReply>;
  models?(signal: AbortSignal): Promise<readonly ProviderModel[]>;
}

export interface ScriptedProvider extends ModelProvider {
  readonly chats: SeenCall<ChatRequest>[];
  readonly completions: SeenCall<ChatRequest>[];
  readonly embeds: SeenCall<EmbedRequest>[];
  /** The most calls, of any kind, that ran at the same time. */
  readonly peak: number;
}

/**
 * A provider for tests of the pool's policies: it follows the contract of ModelProvider, does what its script says, and
 * remembers every call. Unscripted, it says "Hello", and embeds a text as 8 numbers of its hash.
 */
export function scriptedProvider(script: Script = {}): ScriptedProvider {
  const chats: SeenCall<ChatRequest>[] = [];
  const completions: SeenCall<ChatRequest>[] = [];
  const embeds: SeenCall<EmbedRequest>[] = [];
  let running = 0;
  let peak = 0;
  const begin = <Request>(calls: SeenCall<Request>[], request: Request, signal: AbortSignal) => {
    const seen = { request, signal, over: false };
    calls.push(seen);
    running += 1;
    peak = Math.max(peak, running);
    return () => {
      seen.over = true;
      running -= 1;
    };
  };
  return {
    name: script.name ?? 'scripted',
    generative: script.generative ?? true,
    embeddingLimits: script.embeddingLimits ?? { maxTexts: 2_048, maxTokens: 300_000 },
    chats,
    completions,
    embeds,
    get peak() {
      return peak;
    },
    models: script.models ?? (async () => []),
    async *chat(request, signal) {
      const end = begin(chats, request, signal);
      try {
        yield* script.chat?.(request, signal, chats.length) ?? says('Hello');
      } finally {
        end();
      }
    },
    async complete(request, signal) {
      const end = begin(completions, request, signal);
      try {
        const scripted = script.complete?.(request, signal, completions.length);
        return (await scripted) ?? { text: 'Hello', finishReason: 'STOP', tokens: null };
      } finally {
        end();
      }
    },
    async embed(request, signal) {
      const end = begin(embeds, request, signal);
      try {
        return (await script.embed?.(request, signal, embeds.length)) ?? vectorsOf(request);
      } finally {
        end();
      }
    },
  };
}

/** A whole reply: its pieces, usage when given, and a finish. */
export async function* says(...pieces: (string | { readonly input: number; readonly output: number })[]) {
  for (const piece of pieces) {
    if (typeof piece === 'string') yield { type: 'text', delta: piece } satisfies ChatChunk;
    else {
      const tokens = { inputTokens: piece.input, cachedInputTokens: 0, outputTokens: piece.output };
      yield { type: 'usage', tokens } satisfies ChatChunk;
    }
  }
  yield { type: 'finish', reason: 'STOP' } satisfies ChatChunk;
}

/** Says some pieces, then fails. */
export async function* breaks(error: Error, ...pieces: string[]): AsyncGenerator<ChatChunk> {
  for (const delta of pieces) yield { type: 'text', delta };
  throw error;
}

/** Says some pieces, then nothing until it is aborted. */
export async function* stalls(signal: AbortSignal, ...pieces: string[]): AsyncGenerator<ChatChunk> {
  for (const delta of pieces) yield { type: 'text', delta };
  await aborted(signal);
}

/** Rejects with the signal's reason once it is aborted; never resolves. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });
}

export function vectorsOf({ texts }: EmbedRequest): EmbedReply {
  return { vectors: texts.map(vectorOf), tokens: texts.reduce((sum, text) => sum + countTokens(text), 0) };
}

export function vectorOf(text: string): Float32Array {
  return Float32Array.from(hash('sha256', text, 'buffer').subarray(0, 8), (byte) => byte / 255);
}

export function unavailable(details: GatewayError['details'] = {}): GatewayError {
  return new GatewayError('UPSTREAM_UNAVAILABLE', 'scripted: 503', { retryable: true, details });
}

export function rejected(): GatewayError {
  return new GatewayError('UPSTREAM_REJECTED', 'scripted: 400');
}
