import type { Logger } from '../../../core/contracts/logger.ts';
import type { RunObserver } from '../../../core/contracts/run-observer.ts';

/** One line per run that ended, or left this instance. What was asked and answered is not in it. */
export function runLog(logger: Logger, level: 'debug' | 'info'): RunObserver {
  return {
    began() {},
    ended({ runId, tenant, kind, stored, attempt }, { status, code, model, usage, durationMs, firstTokenMs }) {
      const { inputTokens, cachedInputTokens, outputTokens, calls, costUsd, estimated } = usage;
      const fields = {
        ...{ runId, tenant, kind, status },
        ...(code === null ? {} : { code }),
        ...(model === null ? {} : { model }),
        ms: Math.round(durationMs),
        ...(firstTokenMs === null ? {} : { firstTokenMs: Math.round(firstTokenMs) }),
        ...{ attempt, stored, calls, inputTokens, cachedInputTokens, outputTokens, costUsd },
        ...(estimated ? { estimated } : {}),
      };
      logger[level](fields, 'run');
    },
  };
}
