import type { TerminalEvent } from '../../core/contracts/run-event.ts';
import type { Usage } from '../../core/contracts/usage.ts';
import type { AgUiEvent, RunOutcome, TokenUsage } from './events.ts';

interface EndedRun {
  readonly threadId: string;
  readonly runId: string;
  /** Null: the client is from before AG-UI 1.0. */
  readonly protocolVersion: string | null;
}

/** `before`: what was spent in runs of AG-UI that this one continues, and was told by them. */
export function runEnd(
  event: TerminalEvent,
  { threadId, runId, protocolVersion }: EndedRun,
  before: Usage | null,
  unanswered: readonly string[],
): AgUiEvent[] {
  const usage = [tokensOf(event.usage, before)];
  switch (event.type) {
    case 'RunFinished':
      // Calls that are left to the app by a run that is not stored, and so cannot wait for it.
      return [
        runFinished(
          { threadId, runId },
          event.usage,
          before,
          unanswered.length === 0 ? null : { type: 'success', pendingToolCallIds: unanswered },
        ),
      ];
    case 'RunFailed': {
      const { code, message, retryable, details } = event.error;
      return [{ type: 'RUN_ERROR', message, code, usage, metadata: { sluice: { retryable, ...details } } }];
    }
    case 'RunCancelled':
      // An older client would not see the outcome, and take the run for a success.
      return protocolVersion === null
        ? [{ type: 'RUN_ERROR', message: event.reason, code: 'CANCELLED', usage }]
        : [{ type: 'RUN_FINISHED', threadId, runId, outcome: { type: 'cancelled' }, usage }];
  }
}

export function runFinished(
  { threadId, runId }: Pick<EndedRun, 'threadId' | 'runId'>,
  usage: Usage,
  before: Usage | null,
  outcome: RunOutcome | null,
): AgUiEvent {
  return {
    ...{ type: 'RUN_FINISHED', threadId, runId, result: { usage }, usage: [tokensOf(usage, before)] },
    ...(outcome === null ? {} : { outcome }),
  };
}

/** One entry without a model: what was spent is counted for the whole run. */
function tokensOf(usage: Usage, before: Usage | null): TokenUsage {
  const inputTokens = usage.inputTokens - (before?.inputTokens ?? 0);
  const outputTokens = usage.outputTokens - (before?.outputTokens ?? 0);
  const cachedInputTokens = usage.cachedInputTokens - (before?.cachedInputTokens ?? 0);
  return { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens, cachedInputTokens };
}
