import type { Context } from '../context.ts';
import { runNotFound } from '../core/runs/run-error.ts';
import type { RunEventView } from '../resolvers/run-event-view.ts';
import { type FollowArgs, follow } from './run-events.ts';

/** Starts a run and follows it from the cursor on; what is wrong with the cursor is said before anything is started. */
export async function startAndFollow(
  runId: string,
  args: FollowArgs,
  context: Context,
  start: () => Promise<unknown>,
): Promise<AsyncIterable<RunEventView>> {
  // Before anything is started: a cursor that is not of this run must not cost a generation.
  const key = { tenant: context.principal.tenant, runId };
  const events = follow(key, args, context);
  // Nor one of a run that is gone: whoever has seen events of it would be given another answer as their continuation.
  if (args.after != null && (await context.services.runs.find(key, context.signal)) === null) throw runNotFound(runId);
  await start();
  return events;
}
