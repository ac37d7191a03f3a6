import type {
  Attachment,
  MessageRole,
  ReasoningEffort,
  ToolCallRequest,
  ToolChoice,
  ToolDefinition,
} from '../contracts/model-provider.ts';
import type { UnwatchedPolicy } from '../contracts/run-store.ts';
import type { SearchMode } from '../contracts/search-index.ts';
import type { MetadataFilterInput } from '../search/metadata-filter.ts';

export interface RetrievalRequest {
  readonly in: string;
  readonly first: number;
  readonly mode: SearchMode;
  readonly filter: MetadataFilterInput | null;
  readonly rerank: boolean;
  readonly perDocument: number | null;
}

export interface HistoryMessage {
  readonly role: MessageRole;
  readonly text: string;
  readonly attachments: readonly Attachment[];
  /** Of an ASSISTANT message. */
  readonly toolCalls?: readonly ToolCallRequest[];
  /** Of a TOOL message. */
  readonly toolCallId?: string;
}

export interface Sampling {
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly stop: readonly string[] | null;
  readonly seed: number | null;
  readonly reasoningEffort: ReasoningEffort | null;
  readonly maxOutputTokens: number | null;
  readonly providerOptions: Readonly<Record<string, unknown>> | null;
}

/** `StartChatInput` with its defaults filled in: all that a chat run needs, plain JSON. Null: left out. */
export interface ChatInput {
  readonly conversationId: string | null;
  readonly parentMessageId: string | null;
  /** The message begins the conversation anew, beside its first one: a branch that no parent message can name. */
  readonly beginsAnew: boolean;
  readonly message: string | null;
  readonly attachments: readonly Attachment[];
  readonly history: readonly HistoryMessage[] | null;
  readonly store: boolean;
  readonly system: string | null;
  readonly model: string | null;
  readonly sampling: Sampling;
  readonly responseSchema: Readonly<Record<string, unknown>> | null;
  readonly retrieval: RetrievalRequest | null;
  /** Names of the gateway's tools, and what the app runs itself. */
  readonly tools: readonly string[];
  readonly clientTools: readonly ToolDefinition[];
  readonly toolChoice: ToolChoice | null;
  readonly verify: boolean;
  readonly timeoutMs: number | null;
  readonly whenUnwatched: UnwatchedPolicy;
  readonly user: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
}
