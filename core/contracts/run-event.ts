import type { Json } from './filter.ts';
import type { ErrorCode, ErrorDetails } from './gateway-error.ts';
import type { FinishReason } from './model-provider.ts';
import type { Usage } from './usage.ts';

export type RunKind = 'CHAT' | 'AGENT' | 'INGEST';

export type AgentRole = 'ASSISTANT' | 'PLANNER' | 'RESEARCHER' | 'VALIDATOR' | 'EXECUTOR';

export type StepStatus = 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'SKIPPED' | 'CANCELLED';

export type ToolCallStatus = 'PENDING' | 'AWAITING_APPROVAL' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'REJECTED';

export interface ToolCallRecord {
  /** Of the model, unique within its run. */
  readonly id: string;
  readonly tool: string;
  readonly arguments: Json;
  /** Null until there is one. Of a failed or rejected call: what the model was told. */
  readonly result: Json | null;
  readonly status: ToolCallStatus;
}

export interface CitationRecord {
  /** The n of `[n]` in the text; citations of a text are numbered 1, 2, 3 … in order of first use. */
  readonly number: number;
  /** Literally in the passage. */
  readonly quote: string;
  readonly title: string | null;
  readonly url: string | null;
  readonly passageId: string;
}

export interface VerificationRecord {
  readonly grounded: boolean;
  /** 0..1 */
  readonly score: number;
  readonly unsupported: readonly string[];
  readonly model: string;
}

export interface RunErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly details: ErrorDetails;
}

/** What a run says about itself, as it stands in its log. Names follow AG-UI where it has the event. */
export type RunEvent =
  | { readonly type: 'RunStarted'; readonly kind: RunKind }
  /** `step`: the key of a step in the plan; null: what every run does, such as planning. */
  | {
      readonly type: 'StepStarted';
      readonly step: string | null;
      readonly title: string;
      readonly role: AgentRole | null;
    }
  | { readonly type: 'StepFinished'; readonly step: string | null; readonly stepStatus: StepStatus }
  | { readonly type: 'TextMessageStarted'; readonly messageId: string; readonly step?: string | null }
  | { readonly type: 'TextMessageDelta'; readonly messageId: string; readonly delta: string }
  | { readonly type: 'TextMessageEnded'; readonly messageId: string; readonly finishReason: FinishReason }
  | { readonly type: 'TextMessageReset'; readonly messageId: string; readonly reason: string }
  | { readonly type: 'ReasoningDelta'; readonly messageId: string; readonly delta: string }
  | {
      readonly type: 'ToolCallStarted';
      readonly toolCallId: string;
      readonly tool: string;
      readonly step?: string | null;
    }
  | { readonly type: 'ToolCallArgumentsDelta'; readonly toolCallId: string; readonly delta: string }
  | { readonly type: 'ToolCallEnded'; readonly toolCallId: string; readonly arguments: Json }
  | {
      readonly type: 'ToolCallResult';
      readonly toolCallId: string;
      readonly toolStatus: ToolCallStatus;
      readonly result: Json | null;
    }
  /** `round`: of the questions about the call, 1 for the first; left out by versions that asked at most twice. */
  | { readonly type: 'ApprovalRequested'; readonly toolCall: ToolCallRecord; readonly round?: number }
  /** Nothing more is done before somebody has answered; `usage` is what the run has cost so far. */
  | {
      readonly type: 'RunParked';
      readonly runStatus: 'AWAITING_APPROVAL' | 'AWAITING_TOOL_RESULT';
      readonly usage: Usage;
    }
  | { readonly type: 'SourceCited'; readonly messageId: string; readonly citation: CitationRecord }
  | { readonly type: 'VerificationFinished'; readonly messageId: string; readonly verification: VerificationRecord }
  | { readonly type: 'ProgressReported'; readonly done: number; readonly total: number }
  | { readonly type: 'RunFinished'; readonly usage: Usage }
  | { readonly type: 'RunFailed'; readonly error: RunErrorRecord; readonly usage: Usage }
  | { readonly type: 'RunCancelled'; readonly reason: string; readonly usage: Usage };

export type TerminalEvent = Extract<RunEvent, { type: 'RunFinished' | 'RunFailed' | 'RunCancelled' }>;

export function isTerminal(event: RunEvent): event is TerminalEvent {
  return event.type === 'RunFinished' || event.type === 'RunFailed' || event.type === 'RunCancelled';
}
