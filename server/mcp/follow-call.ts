import { GatewayError } from '../../core/contracts/gateway-error.ts';
import { isTerminal, type TerminalEvent } from '../../core/contracts/run-event.ts';
import type { RunRecord } from '../../core/contracts/run-store.ts';
import { type FollowedEvent, followRun } from '../../core/runs/follow-run.ts';
import { runNotFound } from '../../core/runs/run-error.ts';
import type { McpCall, Progress } from './mcp-tool.ts';

/**
 * Starts a run, tells its progress, and resolves with the run when it has ended well. One that failed or was cancelled rejects with
 * what it ended with. Following counts as watching: a run that is to be cancelled when nobody waits for it is cancelled soon
 * after the client has gone.
 */
export async function followCall(
  { context, runId, progress }: McpCall,
  start: () => Promise<RunRecord>,
  progressOf: (event: FollowedEvent) => Progress | null,
): Promise<RunRecord> {
  const { services, principal, signal } = context;
  const key = { tenant: principal.tenant, runId };
  // From before the start, so that the run never finds itself unwatched.
  using _watching = services.runs.watch(key);
  const run = await start();
  for await (const followed of followRun(services, run, 0, signal)) {
    const { event } = followed;
    if (event.type !== 'StreamGap' && isTerminal(event)) {
      assertWell(event);
      break;
    }
    const told = progressOf(followed);
    if (told !== null) progress(told);
  }
  const ended = await services.runs.find(key, signal);
  if (ended === null) throw runNotFound(runId);
  return ended;
}

function assertWell(event: TerminalEvent): void {
  switch (event.type) {
    case 'RunFinished':
      return;
    case 'RunCancelled':
      throw new GatewayError('CANCELLED', `The run was cancelled: ${event.reason}`);
    case 'RunFailed': {
      const { code, message, retryable, details } = event.error;
      throw new GatewayError(code, message, { retryable, details });
    }
  }
}
