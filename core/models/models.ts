import type { Capability, ChatChunk, ChatRequest, Completion } from '../contracts/model-provider.ts';
import type { UsageMeter } from './usage/usage-meter.ts';

/** What a call belongs to and what bounds it. */
export interface CallOptions {
  readonly tenant: string;
  /** The id of the API key that pays; left out or null: the gateway runs open, or by its static key. */
  readonly payer?: string | null;
  /** Counts what the call cost, also when it is cut or cancelled. */
  readonly meter: UsageMeter;
  /** Its abort ends the call as CANCELLED. Embeddings asked for under one signal count as one caller, whose turn comes as such. */
  readonly signal: AbortSignal;
  /** Total deadline of this call where it is shorter than the configured one; the wait in a queue and all attempts included. */
  readonly timeoutMs?: number;
}

/** A request as core makes it: without `model`, the default of its kind. */
export interface ModelRequest extends Omit<ChatRequest, 'model'> {
  readonly model: string | null;
}

/** What a name that can chat stands for. Of a route: what at least one of its targets can do, of attachments what all can. */
export interface ChatModel {
  readonly name: string;
  /** Of a route: its first target's. */
  readonly provider: string;
  readonly generative: boolean;
  /** Tokens of input and output together. */
  readonly contextWindow: number;
  /** Reads attachments of these MIME types; entries may end in /*. */
  readonly attachments: readonly string[];
  /** Tokens that it writes at most; null: it is not known. */
  readonly maxOutputTokens: number | null;
  /** Null: the name is a model's. */
  readonly route: ModelRoute | null;
}

/** What a route says of the calls that go through it. */
export interface ModelRoute {
  readonly name: string;
  /** Identical generations at the same time share one provider call, whatever their temperature. */
  readonly coalesce: boolean;
}

/** A provider's chunks, and what the pool adds. */
export type PoolChunk =
  | ChatChunk
  /** Who answers: before the first chunk, and again after a `reset`. */
  | { readonly type: 'model'; readonly name: string; readonly provider: string }
  /** All that came is void: another model begins the text again. */
  | { readonly type: 'reset'; readonly reason: string };

export interface EmbeddedText {
  /** Shared with the cache and with others who asked for the same text: never written to. */
  readonly vector: Float32Array;
  /** This text's share of its call's input tokens, also when it came from the cache and cost nothing now. */
  readonly tokens: number;
}

export interface ModelInfo {
  readonly name: string;
  readonly provider: string;
  readonly capabilities: readonly Capability[];
  readonly contextWindow: number | null;
  readonly inputUsdPerMillion: number | null;
  readonly outputUsdPerMillion: number | null;
  /** Names of the routes that it is a target of. */
  readonly routes: readonly string[];
  readonly health: ModelHealth;
}

export interface ModelHealth {
  readonly circuit: 'CLOSED' | 'HALF_OPEN' | 'OPEN';
  /** Provider calls and open streams now, and how many wait for one to end. */
  readonly inFlight: number;
  readonly queued: number;
  /** Until the first chunk of a stream, or for a whole embeddings call; null when the last minute had neither. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  /** 0..1 over the last minute: what speaks against the provider, neither refused input nor cancelled calls. */
  readonly errorRate: number;
  /** Provider calls: a retry counts again. */
  readonly callsLastMinute: number;
}

/** The pool: the only way to a provider. Every call is queued, timed, retried and counted here. */
export interface Models {
  /**
   * Of a route or a model; null: the default. BAD_INPUT for a name that is known and cannot chat. A name nobody lists goes to the
   * default provider, unless it is close to that of a route: then it is BAD_INPUT too, and names the route.
   */
  chatModel(name: string | null): ChatModel;
  readonly defaultEmbeddingModel: string;
  /** Vector length; asked of the provider once when it is not known. */
  embeddingDimensions(model: string, signal: AbortSignal): Promise<number>;
  /**
   * Streams one generation. Before the first chunk a failure is tried again, at the targets of the route in turn; after it the route
   * decides: a `reset` and another target, or the failure is thrown. First token, idle and total deadlines end a call as
   * UPSTREAM_TIMEOUT with the phase. Leaving the loop aborts the provider call.
   * Read to the end, not only to `finish`: the provider's token count may come after it, and is estimated otherwise.
   */
  chat(request: ModelRequest, options: CallOptions): AsyncIterable<PoolChunk>;
  /** `model`: which one answered. */
  complete(request: ModelRequest, options: CallOptions): Promise<Completion & { readonly model: string }>;
  /**
   * One text's vector, batched with every other embedding asked for at about the same time in this process. What is asked for
   * in one turn of the event loop goes together. BAD_INPUT for an empty text.
   */
  embed(model: string, text: string, options: CallOptions): Promise<EmbeddedText>;
  /** Every model that can be routed to; a provider that does not answer in time shows what is configured, not an error. */
  list(signal: AbortSignal): Promise<readonly ModelInfo[]>;
  /** One line per provider, from the last call and the last probe: never waits for the network. */
  health(): readonly { readonly name: string; readonly ok: boolean; readonly detail: string | null }[];
  close(): Promise<void>;
}
