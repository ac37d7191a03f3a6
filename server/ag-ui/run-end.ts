import type { TerminalEvent } from '../../core/contracts/run-event.ts';
import type { Usage } from '../../core/contracts/usage.ts';
import type { AgUiEvent, TokenUsage } from './events.ts';

interface EndedRun {
  readonly threadId: string;
  readonly runId: string;
  /** Null: the client is from before AG-UI 1.0. */
  readonly protocolVersion: string | null;
}

/** How the run ended. What broke is never RUN_FINISHED, and what was stopped is only to clients that know outcomes. */
export function runEnd(event: TerminalEvent, { threadId, runId, protocolVersion }: EndedRun): AgUiEvent[] {
  const usage = [tokensOf(event.usage)];
  switch (event.type) {
    case 'RunFinished':
      return [{ type: 'RUN_FINISHED', threadId, runId, result: { usage: event.usage }, usage }];
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

/** One entry without a model: what was spent is counted for the whole run. */
function tokensOf({ inputTokens, cachedInputTokens, outputTokens }: Usage): TokenUsage {
  return { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens, cachedInputTokens };
}
