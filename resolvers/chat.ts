import type { Context } from '../context.ts';
import type { ChatInput, RetrievalRequest } from '../core/chat/chat-input.ts';
import { startChat as startChatInCore } from '../core/chat/start-chat.ts';
import { GatewayError } from '../core/contracts/gateway-error.ts';
import type {
  Attachment,
  MessageRole,
  ReasoningEffort,
  ToolCallRequest,
  ToolChoice,
  ToolDefinition,
} from '../core/contracts/model-provider.ts';
import type { RunRecord, UnwatchedPolicy } from '../core/contracts/run-store.ts';
import type { SearchMode } from '../core/contracts/search-index.ts';
import type { MetadataFilterInput } from '../core/search/metadata-filter.ts';
import { newId } from '../core/text/new-id.ts';
import { assertDepth } from '../core/text/storable-json.ts';
import { decodeId, parseId } from './global-id.ts';

type Maybe<T> = T | null | undefined;

export interface AttachmentArgs {
  readonly mimeType: string;
  readonly url?: Maybe<string>;
  readonly base64?: Maybe<string>;
}

export interface RetrievalArgs {
  readonly in?: Maybe<string>;
  readonly first?: Maybe<number>;
  readonly mode?: Maybe<SearchMode>;
  readonly filter?: Maybe<MetadataFilterInput>;
  readonly rerank?: Maybe<boolean>;
  readonly perDocument?: Maybe<number>;
}

export interface ToolArgs {
  readonly name: string;
  readonly description: string;
  readonly parameters?: unknown;
}

/** `StartChatInput` as GraphQL hands it over. */
export interface StartChatArgs {
  readonly runId?: Maybe<string>;
  readonly conversationId?: Maybe<string>;
  readonly parentMessageId?: Maybe<string>;
  readonly message?: Maybe<string>;
  readonly attachments?: Maybe<readonly AttachmentArgs[]>;
  readonly history?: Maybe<
    readonly {
      readonly role: MessageRole;
      readonly text: string;
      readonly attachments?: Maybe<readonly AttachmentArgs[]>;
      readonly toolCalls?: Maybe<
        readonly { readonly id: string; readonly tool: string; readonly arguments?: unknown }[]
      >;
      readonly toolCallId?: Maybe<string>;
    }[]
  >;
  readonly store?: Maybe<boolean>;
  readonly system?: Maybe<string>;
  readonly model?: Maybe<string>;
  readonly temperature?: Maybe<number>;
  readonly topP?: Maybe<number>;
  readonly stop?: Maybe<readonly string[]>;
  readonly seed?: Maybe<number>;
  readonly reasoningEffort?: Maybe<ReasoningEffort>;
  readonly maxOutputTokens?: Maybe<number>;
  readonly providerOptions?: unknown;
  readonly responseSchema?: unknown;
  readonly retrieval?: Maybe<RetrievalArgs>;
  readonly tools?: Maybe<readonly string[]>;
  readonly clientTools?: Maybe<readonly ToolArgs[]>;
  readonly toolChoice?: Maybe<string>;
  readonly verify?: Maybe<boolean>;
  readonly timeoutMs?: Maybe<number>;
  readonly whenUnwatched?: Maybe<UnwatchedPolicy>;
  readonly user?: Maybe<string>;
  readonly metadata?: unknown;
}

/** `newRunId`: one that was made up for an input that names none. */
export function startChat(
  { input, newRunId = newId() }: { readonly input: StartChatArgs; readonly newRunId?: string },
  { services, principal }: Context,
): Promise<RunRecord> {
  const given = input.runId?.toLowerCase();
  return startChatInCore(services, principal, given ?? newRunId, chatInput(input), given === undefined);
}

export function chatInput(input: StartChatArgs): ChatInput {
  return {
    ...placeOf(input),
    message: input.message ?? null,
    attachments: (input.attachments ?? []).map(attachment),
    history:
      input.history?.map(({ role, text, attachments, toolCalls, toolCallId }, index) => ({
        role,
        text,
        attachments: (attachments ?? []).map(attachment),
        ...(toolCalls == null
          ? {}
          : { toolCalls: toolCalls.map((call, at) => toolCall(call, `history[${index}].toolCalls[${at}]`)) }),
        ...(toolCallId == null ? {} : { toolCallId }),
      })) ?? null,
    store: input.store ?? true,
    system: input.system ?? null,
    model: input.model ?? null,
    sampling: {
      temperature: input.temperature ?? null,
      topP: input.topP ?? null,
      stop: input.stop ?? null,
      seed: input.seed ?? null,
      reasoningEffort: input.reasoningEffort ?? null,
      maxOutputTokens: input.maxOutputTokens ?? null,
      providerOptions: jsonObject(input.providerOptions, 'providerOptions'),
    },
    responseSchema: jsonObject(input.responseSchema, 'responseSchema'),
    retrieval: retrievalOf(input.retrieval),
    tools: [...new Set(input.tools ?? [])],
    clientTools: (input.clientTools ?? []).map(clientTool),
    toolChoice: toolChoiceOf(input.toolChoice),
    verify: input.verify ?? false,
    timeoutMs: input.timeoutMs ?? null,
    whenUnwatched: input.whenUnwatched ?? 'FINISH',
    user: input.user ?? null,
    metadata: jsonObject(input.metadata, 'metadata') ?? {},
  };
}

export function retrievalOf(retrieval: Maybe<RetrievalArgs>): RetrievalRequest | null {
  if (retrieval == null) return null;
  return {
    in: retrieval.in ?? 'default',
    first: retrieval.first ?? 6,
    mode: retrieval.mode ?? 'HYBRID',
    filter: retrieval.filter ?? null,
    rerank: retrieval.rerank ?? false,
    perDocument: retrieval.perDocument === undefined ? 3 : retrieval.perDocument,
  };
}

/** Where in which conversation the message goes. */
function placeOf(input: StartChatArgs): Pick<ChatInput, 'conversationId' | 'parentMessageId' | 'beginsAnew'> {
  const conversationId =
    input.conversationId == null ? null : decodeId('Conversation', input.conversationId, 'conversationId');
  const { parentMessageId: parent } = input;
  if (parent == null) return { conversationId, parentMessageId: null, beginsAnew: false };
  // The first message has no parent: the conversation stands in for it.
  const parsed = parseId(parent);
  if (parsed?.typename !== 'Conversation') {
    return { conversationId, parentMessageId: decodeId('Message', parent, 'parentMessageId'), beginsAnew: false };
  }
  if (conversationId !== null && conversationId !== parsed.id) {
    throw new GatewayError('BAD_INPUT', `parentMessageId names another conversation than conversationId: "${parent}".`);
  }
  return { conversationId: parsed.id, parentMessageId: null, beginsAnew: true };
}

function attachment({ mimeType, url, base64 }: AttachmentArgs): Attachment {
  return { mimeType, ...(url == null ? {} : { url }), ...(base64 == null ? {} : { base64 }) };
}

export function clientTool({ name, description, parameters }: ToolArgs, index: number): ToolDefinition {
  const schema = jsonObject(parameters, `clientTools[${index}].parameters`);
  if (schema === null)
    throw new GatewayError('BAD_INPUT', `clientTools[${index}].parameters must be a JSON object, got null.`);
  return { name, description, parameters: schema };
}

function toolCall(
  { id, tool, arguments: args }: { readonly id: string; readonly tool: string; readonly arguments?: unknown },
  name: string,
): ToolCallRequest {
  return { id, tool, arguments: JSON.stringify(jsonObject(args, `${name}.arguments`) ?? {}) };
}

function toolChoiceOf(choice: Maybe<string>): ToolChoice | null {
  if (choice == null) return null;
  return choice === 'auto' || choice === 'none' || choice === 'required' ? choice : { tool: choice };
}

export function jsonObject(value: unknown, name: string): Readonly<Record<string, unknown>> | null {
  if (value == null) return null;
  if (typeof value === 'object' && !Array.isArray(value)) {
    // Before anything walks it: a value that is nested some thousand deep takes any recursion's stack.
    assertDepth(value, name, 100);
    return { ...value };
  }
  // A list may be nested too deep to be shown.
  const came = Array.isArray(value) ? 'a list' : JSON.stringify(value).slice(0, 60);
  throw new GatewayError('BAD_INPUT', `${name} must be a JSON object, got ${came}.`);
}
