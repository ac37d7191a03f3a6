/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** What bounds a run; when one is reached, the run ends with what it has, and LENGTH as its finishReason. The configured limits of the agent hold too. */
export type AgentLimitsInput = {
  /** US dollars; a model without a known price ends the run. */
  maxCostUsd?: number | null | undefined;
  /** Steps that run at the same time. */
  maxParallel?: number | null | undefined;
  /** Steps of the whole plan: what is looked up, each check of it, and the answer. */
  maxSteps?: number | null | undefined;
  /** Input and output together, over all model calls. */
  maxTokens?: number | null | undefined;
  timeoutMs?: number | null | undefined;
};

/** PLANNER parts the goal into steps, RESEARCHER looks things up, VALIDATOR checks what was found, EXECUTOR answers and acts; ASSISTANT is all of it in one. */
export type AgentRole =
  | 'ASSISTANT'
  | 'EXECUTOR'
  | 'PLANNER'
  | 'RESEARCHER'
  | 'VALIDATOR';

/** Exactly one of url and base64. What the model cannot read is BAD_INPUT. */
export type AttachmentInput = {
  base64?: string | null | undefined;
  mimeType: string;
  url?: string | null | undefined;
};

/** What a failure is: of a run in its error, of everything else in the GraphQL error's extensions.code. */
export type ErrorCode =
  | 'BAD_INPUT'
  | 'BUDGET_EXCEEDED'
  | 'CANCELLED'
  | 'CONFLICT'
  | 'FORBIDDEN'
  | 'INTERNAL'
  | 'NOT_FOUND'
  | 'QUERY_TOO_COMPLEX'
  | 'RATE_LIMITED'
  | 'UNAUTHENTICATED'
  | 'UPSTREAM_REJECTED'
  | 'UPSTREAM_TIMEOUT'
  | 'UPSTREAM_UNAVAILABLE';

/** Why a text ended. STOP: it was finished; LENGTH: a token limit; CANCELLED and ERROR: what had come by then. */
export type FinishReason =
  | 'CANCELLED'
  | 'CONTENT_FILTER'
  | 'ERROR'
  | 'LENGTH'
  | 'STOP'
  | 'TOOL_CALLS';

export type MessageInput = {
  attachments?: Array<AttachmentInput> | null | undefined;
  role: MessageRole;
  text: string;
  /** Of a TOOL message: the call that its text answers. */
  toolCallId?: string | null | undefined;
  /** Of an ASSISTANT message; each is answered by a TOOL message behind it. */
  toolCalls?: Array<ToolCallInput> | null | undefined;
};

export type MessageRole =
  | 'ASSISTANT'
  | 'SYSTEM'
  | 'TOOL'
  | 'USER';

/** Exactly one of all / any / not, or `field` with exactly one of equals / in / greaterThan / lessThan / exists. */
export type MetadataFilter = {
  /** Every one of them holds. */
  all?: Array<MetadataFilter> | null | undefined;
  /** At least one of them holds. */
  any?: Array<MetadataFilter> | null | undefined;
  equals?: unknown;
  /** Whether the document has the field at all. */
  exists?: boolean | null | undefined;
  /** A key of the metadata; dots go into objects: author.name. */
  field?: string | null | undefined;
  /** Numbers with numbers, texts with texts. */
  greaterThan?: unknown;
  in?: Array<unknown> | null | undefined;
  /** Numbers with numbers, texts with texts. */
  lessThan?: unknown;
  /** It does not hold; a document without the field counts. */
  not?: MetadataFilter | null | undefined;
};

export type ReasoningEffort =
  | 'HIGH'
  | 'LOW'
  | 'MEDIUM'
  | 'NONE';

/** What is looked up for the answer; an empty object means the defaults. */
export type RetrievalInput = {
  filter?: MetadataFilter | null | undefined;
  first?: number | null | undefined;
  /** Name of the collection. */
  in?: string | null | undefined;
  mode?: SearchMode | null | undefined;
  perDocument?: number | null | undefined;
  rerank?: boolean | null | undefined;
};

/** AWAITING_APPROVAL: a person must resolve; AWAITING_TOOL_RESULT: the app must answer a client tool. */
export type RunStatus =
  | 'AWAITING_APPROVAL'
  | 'AWAITING_TOOL_RESULT'
  | 'CANCELLED'
  | 'FAILED'
  | 'QUEUED'
  | 'RUNNING'
  | 'SUCCEEDED';

/** How passages are found and ranked. */
export type SearchMode =
  /** By meaning and by words, fused. The best default. */
  | 'HYBRID'
  /** By words alone: no embeddings call. */
  | 'KEYWORD'
  /** By meaning alone. */
  | 'VECTOR';

export type StartAgentInput = {
  /** Its name, as `agents` lists it. */
  agent: string;
  /** Tools that the app runs itself: the run waits for submitToolResult. The assistant may call them, and the executor of a team. */
  clientTools?: Array<ToolInput> | null | undefined;
  /** The goal is a turn of this conversation; the output becomes its next message. */
  conversationId?: string | number | null | undefined;
  /** What is to be found out or done, in your own words. */
  goal: string;
  /** Left out: those that the agent is configured with. */
  limits?: AgentLimitsInput | null | undefined;
  /** At most 16 short strings, for finding runs and for cost reports. */
  metadata?: unknown;
  /** A JSON Schema (2020-12) for AgentRun.object, which comes beside the cited text. */
  responseSchema?: unknown;
  /** Where it searches. Left out: the collection `default`, where there is one. */
  retrieval?: RetrievalInput | null | undefined;
  /** Client-chosen, the idempotency key: the same id with the same input returns the same run and spends nothing; with another input it is CONFLICT. */
  runId?: string | null | undefined;
  /** The app's own name for the person who asks. */
  user?: string | null | undefined;
  whenUnwatched?: UnwatchedPolicy | null | undefined;
};

export type StartChatInput = {
  attachments?: Array<AttachmentInput> | null | undefined;
  /** Tools that the app runs itself: the run waits for submitToolResult. With store: false it ends with TOOL_CALLS instead, and the app goes on with history. */
  clientTools?: Array<ToolInput> | null | undefined;
  /** Left out: a new conversation. One turn of a conversation runs at a time: a second start while one runs is CONFLICT and names the run, unless parentMessageId makes it a branch. */
  conversationId?: string | number | null | undefined;
  /** For apps that keep the conversation themselves: what was said before. Not together with conversationId. */
  history?: Array<MessageInput> | null | undefined;
  maxOutputTokens?: number | null | undefined;
  /** Left out only with a parentMessageId of a USER message: that one is answered again. */
  message?: string | null | undefined;
  /** At most 16 short strings, for finding runs and for cost reports. */
  metadata?: unknown;
  /** Left out: the gateway's default. */
  model?: string | null | undefined;
  /** Goes on from this message instead of the newest: editing and regenerating make branches. The id of the conversation stands for the place before its first message. */
  parentMessageId?: string | number | null | undefined;
  /** Handed to the provider as they are. */
  providerOptions?: unknown;
  reasoningEffort?: ReasoningEffort | null | undefined;
  /** A JSON Schema (2020-12) the reply must satisfy; Message.object holds the value. Such a reply has no citations. */
  responseSchema?: unknown;
  /** Left out: no retrieval. An empty object: the defaults. */
  retrieval?: RetrievalInput | null | undefined;
  /** Client-chosen, the idempotency key: the same id with the same input returns the same run and spends nothing; with another input it is CONFLICT. */
  runId?: string | null | undefined;
  seed?: number | null | undefined;
  stop?: Array<string> | null | undefined;
  /** false: nothing of this run is written to the database. Following, resuming and cancelling work for as long as its log is kept; it fails as retryable when its instance dies. Usage is still counted. */
  store?: boolean | null | undefined;
  system?: string | null | undefined;
  /** 0–2. */
  temperature?: number | null | undefined;
  timeoutMs?: number | null | undefined;
  /** auto, none, required, or a tool's name. */
  toolChoice?: string | null | undefined;
  /** Names of the gateway's tools that the model may call; the run calls nothing else. */
  tools?: Array<string> | null | undefined;
  /** 0–1. */
  topP?: number | null | undefined;
  /** The app's own name for the person who asks. */
  user?: string | null | undefined;
  /** Let a second model call judge the answer against its passages. Needs retrieval. */
  verify?: boolean | null | undefined;
  whenUnwatched?: UnwatchedPolicy | null | undefined;
};

/** SKIPPED: never started, since what it builds on failed or a limit of the run came first. */
export type StepStatus =
  | 'CANCELLED'
  | 'FAILED'
  | 'PENDING'
  | 'RUNNING'
  | 'SKIPPED'
  | 'SUCCEEDED';

export type ToolCallInput = {
  arguments: unknown;
  id: string;
  tool: string;
};

export type ToolInput = {
  /** For the model. */
  description: string;
  /** Letters, digits, _ and -; at most 64. */
  name: string;
  /** A JSON Schema of an object. */
  parameters: unknown;
};

/** What becomes of a run that nobody follows any more. CANCEL stops it after the grace period. */
export type UnwatchedPolicy =
  | 'CANCEL'
  | 'FINISH';

export type ChatSubscriptionVariables = Exact<{
  input: StartChatInput;
  after?: string | null | undefined;
}>;


export type ChatSubscription = { chat:
    | { __typename: 'ApprovalRequested', cursor: string }
    | { __typename: 'ProgressReported', cursor: string }
    | { __typename: 'ReasoningDelta', cursor: string }
    | { __typename: 'RunCancelled', cursor: string }
    | { __typename: 'RunFailed', cursor: string, error: { code: ErrorCode, message: string } }
    | { __typename: 'RunFinished', cursor: string }
    | { __typename: 'RunParked', cursor: string }
    | { __typename: 'RunStarted', cursor: string }
    | { __typename: 'SourceCited', cursor: string, citation: { number: number, title: string | null, quote: string } }
    | { __typename: 'StepFinished', cursor: string }
    | { __typename: 'StepStarted', cursor: string }
    | { __typename: 'StreamGap', cursor: string }
    | { __typename: 'TextMessageDelta', delta: string, cursor: string }
    | { __typename: 'TextMessageEnded', cursor: string }
    | { __typename: 'TextMessageReset', reason: string, cursor: string }
    | { __typename: 'TextMessageStarted', cursor: string }
    | { __typename: 'ToolCallArgumentsDelta', cursor: string }
    | { __typename: 'ToolCallEnded', cursor: string }
    | { __typename: 'ToolCallResult', cursor: string }
    | { __typename: 'ToolCallStarted', cursor: string }
    | { __typename: 'VerificationFinished', cursor: string }
   };

export type ResearchTeamSubscriptionVariables = Exact<{
  input: StartAgentInput;
}>;


export type ResearchTeamSubscription = { agent:
    | { __typename: 'ApprovalRequested', at: string }
    | { __typename: 'ProgressReported', at: string }
    | { __typename: 'ReasoningDelta', at: string }
    | { __typename: 'RunCancelled', at: string }
    | { __typename: 'RunFailed', at: string, error: { code: ErrorCode, message: string } }
    | { __typename: 'RunFinished', at: string }
    | { __typename: 'RunParked', at: string }
    | { __typename: 'RunStarted', at: string }
    | { __typename: 'SourceCited', at: string, citation: { number: number, title: string | null, quote: string } }
    | { __typename: 'StepFinished', step: string | null, stepStatus: StepStatus, at: string }
    | { __typename: 'StepStarted', step: string | null, title: string, role: AgentRole | null, at: string }
    | { __typename: 'StreamGap', at: string }
    | { __typename: 'TextMessageDelta', delta: string, at: string }
    | { __typename: 'TextMessageEnded', at: string }
    | { __typename: 'TextMessageReset', reason: string, at: string }
    | { __typename: 'TextMessageStarted', at: string }
    | { __typename: 'ToolCallArgumentsDelta', at: string }
    | { __typename: 'ToolCallEnded', at: string }
    | { __typename: 'ToolCallResult', at: string }
    | { __typename: 'ToolCallStarted', at: string }
    | { __typename: 'VerificationFinished', at: string }
   };

export type SearchTwiceQueryVariables = Exact<{
  first: string;
  second: string;
}>;


export type SearchTwiceQuery = { first: { edges: Array<{ score: number, node: { text: string, document: { externalId: string, title: string | null } } }> } | null, second: { edges: Array<{ score: number, node: { text: string, document: { externalId: string, title: string | null } } }> } | null };

export type HitsFragment = { edges: Array<{ score: number, node: { text: string, document: { externalId: string, title: string | null } } }> };

export type E2eChatSubscriptionVariables = Exact<{
  input: StartChatInput;
}>;


export type E2eChatSubscription = { chat:
    | { __typename: 'ApprovalRequested', seq: number }
    | { __typename: 'ProgressReported', seq: number }
    | { __typename: 'ReasoningDelta', seq: number }
    | { __typename: 'RunCancelled', seq: number }
    | { __typename: 'RunFailed', seq: number, error: { code: ErrorCode, message: string } }
    | { __typename: 'RunFinished', seq: number, run:
        | { status: RunStatus }
        | { status: RunStatus, reply: { text: string, finishReason: FinishReason | null, citations: Array<{ number: number, quote: string }> } | null, conversation: { title: string | null } | null }
        | { status: RunStatus }
       }
    | { __typename: 'RunParked', seq: number }
    | { __typename: 'RunStarted', seq: number }
    | { __typename: 'SourceCited', seq: number, citation: { number: number, quote: string, title: string | null, passage: { text: string } | null } }
    | { __typename: 'StepFinished', seq: number }
    | { __typename: 'StepStarted', seq: number }
    | { __typename: 'StreamGap', seq: number }
    | { __typename: 'TextMessageDelta', delta: string, seq: number }
    | { __typename: 'TextMessageEnded', seq: number }
    | { __typename: 'TextMessageReset', seq: number }
    | { __typename: 'TextMessageStarted', seq: number }
    | { __typename: 'ToolCallArgumentsDelta', seq: number }
    | { __typename: 'ToolCallEnded', seq: number }
    | { __typename: 'ToolCallResult', seq: number }
    | { __typename: 'ToolCallStarted', seq: number }
    | { __typename: 'VerificationFinished', seq: number }
   };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const HitsFragmentDoc = new TypedDocumentString(`
    fragment Hits on SearchConnection {
  edges {
    score
    node {
      text
      document {
        externalId
        title
      }
    }
  }
}
    `, {"fragmentName":"Hits"}) as unknown as TypedDocumentString<HitsFragment, unknown>;
export const ChatDocument = new TypedDocumentString(`
    subscription Chat($input: StartChatInput!, $after: String) {
  chat(input: $input, after: $after) {
    __typename
    cursor
    ... on TextMessageDelta {
      delta
    }
    ... on TextMessageReset {
      reason
    }
    ... on SourceCited {
      citation {
        number
        title
        quote
      }
    }
    ... on RunFailed {
      error {
        code
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ChatSubscription, ChatSubscriptionVariables>;
export const ResearchTeamDocument = new TypedDocumentString(`
    subscription ResearchTeam($input: StartAgentInput!) {
  agent(input: $input) {
    __typename
    at
    ... on StepStarted {
      step
      title
      role
    }
    ... on StepFinished {
      step
      stepStatus
    }
    ... on TextMessageDelta {
      delta
    }
    ... on TextMessageReset {
      reason
    }
    ... on SourceCited {
      citation {
        number
        title
        quote
      }
    }
    ... on RunFailed {
      error {
        code
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ResearchTeamSubscription, ResearchTeamSubscriptionVariables>;
export const SearchTwiceDocument = new TypedDocumentString(`
    query SearchTwice($first: String!, $second: String!) {
  first: search(query: $first, first: 3) {
    ...Hits
  }
  second: search(query: $second, first: 3) {
    ...Hits
  }
}
    fragment Hits on SearchConnection {
  edges {
    score
    node {
      text
      document {
        externalId
        title
      }
    }
  }
}`) as unknown as TypedDocumentString<SearchTwiceQuery, SearchTwiceQueryVariables>;
export const E2eChatDocument = new TypedDocumentString(`
    subscription E2eChat($input: StartChatInput!) {
  chat(input: $input) {
    __typename
    seq
    ... on TextMessageDelta {
      delta
    }
    ... on SourceCited {
      citation {
        number
        quote
        title
        passage {
          text
        }
      }
    }
    ... on RunFinished {
      run {
        status
        ... on ChatRun {
          reply {
            text
            finishReason
            citations {
              number
              quote
            }
          }
          conversation {
            title
          }
        }
      }
    }
    ... on RunFailed {
      error {
        code
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<E2eChatSubscription, E2eChatSubscriptionVariables>;