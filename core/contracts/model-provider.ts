/**
 * A model provider: the only door to an AI vendor. Implementations translate every failure into a
 * GatewayError and decide `retryable` there; they never retry and never time out by themselves
 * (core/models does both), but they must stop all work, down to the socket, when `signal` is aborted.
 */
export interface ModelProvider {
  /** Stable, lower-case; what `Model.provider` shows. */
  readonly name: string;
  /** False: it cannot write free text. `chat` then answers by extraction from `sources` alone. */
  readonly generative: boolean;
  /** The embedding limits of one call; the batcher splits at them. */
  readonly embeddingLimits: EmbeddingLimits;
  /** What the provider lists now. A model need not appear here to be called. Rejects when it can't be reached. */
  models(signal: AbortSignal): Promise<readonly ProviderModel[]>;
  /**
   * One generation as a stream of chunks: any number of `text` and `reasoning`, at most one `usage`, and exactly
   * one `finish`, after which nothing but `usage` may come. A stream that ends without `finish` is a failure:
   * the iterator throws, it never ends cleanly. Aborting `signal`, or leaving the loop early, closes the socket.
   */
  chat(request: ChatRequest, signal: AbortSignal, hear?: HearRates): AsyncIterable<ChatChunk>;
  /** The same generation in one reply (`stream: false` on the wire). */
  complete(request: ChatRequest, signal: AbortSignal, hear?: HearRates): Promise<Completion>;
  /** One vector per text, in order. `texts` is within `embeddingLimits` and holds no empty text. */
  embed(request: EmbedRequest, signal: AbortSignal, hear?: HearRates): Promise<EmbedReply>;
}

/** Told, at most once a call, what the answer's headers said of the provider's own limits; refusals say it too. */
export type HearRates = (rates: ReportedRates) => void;

/** Null where the provider does not say. */
export interface ReportedRates {
  readonly requests: ReportedRate | null;
  readonly tokens: ReportedRate | null;
}

export interface ReportedRate {
  readonly remaining: number;
  /** Milliseconds until the limit is whole again; null: it does not say. */
  readonly resetMs: number | null;
}

export interface EmbeddingLimits {
  readonly maxTexts: number;
  /** Sum over the texts of one call. */
  readonly maxTokens: number;
}

export interface ProviderModel {
  readonly name: string;
  readonly capabilities: readonly Capability[];
  /** Tokens of input and output together; null when the provider does not say. */
  readonly contextWindow: number | null;
}
export type Capability = 'CHAT' | 'TOOLS' | 'EMBEDDING' | 'RERANK' | 'MODERATION';

export type MessageRole = 'SYSTEM' | 'USER' | 'ASSISTANT' | 'TOOL';

export interface ChatMessage {
  readonly role: MessageRole;
  readonly text: string;
  readonly attachments?: readonly Attachment[];
  /** Of an ASSISTANT message: what it asked for. Each is answered by one TOOL message before anything else is said. */
  readonly toolCalls?: readonly ToolCallRequest[];
  /** Of a TOOL message: which call it answers. */
  readonly toolCallId?: string;
}

/** A model asks for a tool. `arguments` is what it wrote: JSON if it obeyed, and checked by whoever runs the tool. */
export interface ToolCallRequest {
  readonly id: string;
  readonly tool: string;
  readonly arguments: string;
}

/** A tool as a model is told of it. */
export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  /** A JSON Schema of an object. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

export type ToolChoice = 'auto' | 'none' | 'required' | { readonly tool: string };

/** Exactly one of `url` and `base64`. */
export interface Attachment {
  readonly mimeType: string;
  readonly url?: string;
  readonly base64?: string;
}

/** A retrieved passage as a provider sees it. `number` is the n of `[n]` in the prompt. */
export interface Source {
  readonly number: number;
  readonly title: string | null;
  readonly text: string;
}

export type ReasoningEffort = 'NONE' | 'LOW' | 'MEDIUM' | 'HIGH';

export interface ChatRequest {
  readonly model: string;
  /** Complete: system prompt, sources already rendered into it, history, and the question last. */
  readonly messages: readonly ChatMessage[];
  /** The sources once more, unrendered, for providers that answer by extraction. Null: none were asked for. */
  readonly sources: readonly Source[] | null;
  readonly temperature?: number;
  readonly topP?: number;
  readonly stop?: readonly string[];
  readonly seed?: number;
  readonly reasoningEffort?: ReasoningEffort;
  readonly maxOutputTokens?: number;
  /** A JSON Schema the reply must satisfy. Providers that can enforce it do. */
  readonly responseSchema?: Readonly<Record<string, unknown>>;
  /** What the model may ask for; left out or empty: nothing. A provider that is not `generative` ignores it. */
  readonly tools?: readonly ToolDefinition[];
  /** Left out: auto. Only with tools. */
  readonly toolChoice?: ToolChoice;
  /** Merged into the wire request as it is; never over `model`, `messages` or `stream`. */
  readonly providerOptions?: Readonly<Record<string, unknown>>;
}

export type FinishReason = 'STOP' | 'LENGTH' | 'TOOL_CALLS' | 'CONTENT_FILTER' | 'CANCELLED' | 'ERROR';

export interface TokenCount {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
}

export type ChatChunk =
  | { readonly type: 'text'; readonly delta: string }
  | { readonly type: 'reasoning'; readonly delta: string }
  /** A call begins; the pieces of its arguments follow. Several may be written at the same time. */
  | { readonly type: 'tool-call'; readonly id: string; readonly tool: string }
  | { readonly type: 'tool-arguments'; readonly id: string; readonly delta: string }
  | { readonly type: 'finish'; readonly reason: FinishReason }
  | { readonly type: 'usage'; readonly tokens: TokenCount };

export interface Completion {
  readonly text: string;
  /** Left out or empty: it asked for none. */
  readonly toolCalls?: readonly ToolCallRequest[];
  readonly finishReason: FinishReason;
  /** Null when the provider sent no usage. */
  readonly tokens: TokenCount | null;
}

export interface EmbedRequest {
  readonly model: string;
  readonly texts: readonly string[];
  /** Asks for shorter vectors where the model can; left out: the model's own length. */
  readonly dimensions?: number;
}

export interface EmbedReply {
  readonly vectors: readonly Float32Array[];
  /** Input tokens; null when the provider sent none. */
  readonly tokens: number | null;
}
