import type { ErrorCode, ErrorDetails } from './gateway-error.ts';
import type { FinishReason } from './model-provider.ts';
import type { Usage } from './usage.ts';

export type RunKind = 'CHAT' | 'INGEST';

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
  | { readonly type: 'TextMessageStarted'; readonly messageId: string }
  | { readonly type: 'TextMessageDelta'; readonly messageId: string; readonly delta: string }
  | { readonly type: 'TextMessageEnded'; readonly messageId: string; readonly finishReason: FinishReason }
  | { readonly type: 'TextMessageReset'; readonly messageId: string; readonly reason: string }
  | { readonly type: 'ReasoningDelta'; readonly messageId: string; readonly delta: string }
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
