import type { CitationRecord, VerificationRecord } from '../../core/contracts/run-event.ts';

/** As in the graph; `passageId` is what `node(id:)` takes. */
export type Citation = CitationRecord;

/** An assistant message as a snapshot restates it; the client's own messages are restated as they came. */
export interface SnapshotMessage {
  readonly id: string;
  readonly role: string;
  readonly [field: string]: unknown;
}

/** Token counts of the whole run. All counts are totals or parts of one; our cost stands in the result. */
export interface TokenUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
  readonly cachedInputTokens: number;
}

/** What of ours has no place in the protocol: under one key, as it recommends. */
interface OurMetadata {
  readonly metadata: { readonly sluice: Readonly<Record<string, unknown>> };
}

export type CustomEvent =
  | { readonly name: 'sluice.source_cited'; readonly value: { messageId: string; citation: Citation } }
  | {
      readonly name: 'sluice.verification_finished';
      readonly value: { messageId: string; verification: VerificationRecord };
    }
  | { readonly name: 'sluice.progress_reported'; readonly value: { done: number; total: number } };

/** What the run needs from a person before it goes on. */
export interface Interrupt {
  readonly id: string;
  readonly reason: 'tool_call';
  readonly message: string;
  readonly toolCallId: string;
  readonly responseSchema: Readonly<Record<string, unknown>>;
  readonly metadata: OurMetadata['metadata'];
}

/** Left out: it worked, and nothing is left for the client to do. */
export type RunOutcome =
  | { readonly type: 'cancelled' }
  | { readonly type: 'success'; readonly pendingToolCallIds: readonly string[] }
  | { readonly type: 'interrupt'; readonly interrupts: readonly Interrupt[] };

/** The events of AG-UI 1.0 (https://ag-ui.com/spec/1.0/schema.json) that the gateway sends. */
export type AgUiEvent = { readonly timestamp?: number } & (
  | ({
      readonly type: 'RUN_STARTED';
      readonly threadId: string;
      readonly runId: string;
      readonly protocolVersion?: string;
    } & OurMetadata)
  | {
      readonly type: 'RUN_FINISHED';
      readonly threadId: string;
      readonly runId: string;
      readonly result?: unknown;
      readonly outcome?: RunOutcome;
      readonly usage: readonly TokenUsage[];
    }
  | ({
      readonly type: 'RUN_ERROR';
      readonly message: string;
      readonly code: string;
      readonly usage?: readonly TokenUsage[];
    } & Partial<OurMetadata>)
  | { readonly type: 'TEXT_MESSAGE_START'; readonly messageId: string; readonly role: 'assistant' }
  | { readonly type: 'TEXT_MESSAGE_CONTENT'; readonly messageId: string; readonly delta: string }
  | ({ readonly type: 'TEXT_MESSAGE_END'; readonly messageId: string } & OurMetadata)
  | { readonly type: 'REASONING_START' | 'REASONING_END' | 'REASONING_MESSAGE_END'; readonly messageId: string }
  | { readonly type: 'REASONING_MESSAGE_START'; readonly messageId: string; readonly role: 'reasoning' }
  | { readonly type: 'REASONING_MESSAGE_CONTENT'; readonly messageId: string; readonly delta: string }
  | ({ readonly type: 'STEP_STARTED'; readonly stepName: string } & OurMetadata)
  | { readonly type: 'STEP_FINISHED'; readonly stepName: string; readonly metadata?: OurMetadata['metadata'] }
  | ({ readonly type: 'TOOL_CALL_START'; readonly toolCallId: string; readonly toolCallName: string } & OurMetadata)
  | { readonly type: 'TOOL_CALL_ARGS'; readonly toolCallId: string; readonly delta: string }
  | { readonly type: 'TOOL_CALL_END'; readonly toolCallId: string }
  | ({
      readonly type: 'TOOL_CALL_RESULT';
      readonly messageId: string;
      readonly toolCallId: string;
      readonly role: 'tool';
      readonly content: string;
    } & OurMetadata)
  | { readonly type: 'MESSAGES_SNAPSHOT'; readonly messages: readonly SnapshotMessage[] }
  | ({ readonly type: 'CUSTOM' } & CustomEvent)
);
