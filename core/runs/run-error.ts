import { GatewayError } from '../contracts/gateway-error.ts';
import type { RunErrorRecord } from '../contracts/run-event.ts';
import type { RunRecord } from '../contracts/run-store.ts';

/** What a run says of its failure. What is internal, or no GatewayError at all, is masked, as it is in GraphQL errors. */
export function runErrorOf(error: unknown): RunErrorRecord {
  const told = error instanceof GatewayError ? error : null;
  if (told !== null && told.code !== 'INTERNAL') {
    const { code, message, retryable, details } = told;
    return { code, message, retryable, details };
  }
  return {
    code: 'INTERNAL',
    message: 'Internal error: the gateway log has it under the run id.',
    retryable: told?.retryable ?? false,
    details: {},
  };
}

export const cancelled = (reason: string): GatewayError => new GatewayError('CANCELLED', reason);

export const runTimeout = (timeoutMs: number): GatewayError =>
  new GatewayError('UPSTREAM_TIMEOUT', `The run took longer than its timeoutMs of ${timeoutMs}.`, {
    retryable: true,
    details: { phase: 'TOTAL' },
  });

/** The end of a run that nobody has answered. */
export const parkedTooLong = (parkedTimeoutMs: number): GatewayError =>
  new GatewayError(
    'UPSTREAM_TIMEOUT',
    `Nobody has answered what the run waited for within ${parkedTimeoutMs} ms (runs.parkedTimeoutMs).`,
    { details: { phase: 'TOTAL' } },
  );

export const shuttingDown = (): GatewayError =>
  new GatewayError('UPSTREAM_UNAVAILABLE', 'The gateway is shutting down; send the request again.', {
    retryable: true,
  });

/** The end of a run that is not stored, and so died with its instance. */
export const interrupted: RunErrorRecord = {
  code: 'INTERNAL',
  message:
    'The instance that executed this run has gone, and the run was not stored. Start it again under a new runId.',
  retryable: true,
  details: {},
};

/** The end of a run that took every instance with it that tried. */
export const lostTooOften = (times: number): RunErrorRecord => ({
  code: 'INTERNAL',
  message: `The instance that executed this run ended before the run did, ${times} times (runs.maxAttempts).`,
  retryable: true,
  details: { attempts: times },
});

export const runNotFound = (runId: string): GatewayError => new GatewayError('NOT_FOUND', `There is no run ${runId}.`);

/** The run, when it was started with this input; CONFLICT otherwise. */
export function sameInput(run: RunRecord, hash: string): RunRecord {
  if (run.inputHash === hash) return run;
  throw new GatewayError('CONFLICT', `runId ${run.runId} was used before with another input.`, {
    details: { runId: run.runId },
  });
}
