import { randomUUID } from 'node:crypto';
import type { Context } from '../context.ts';
import { runNotFound } from '../core/runs/run-error.ts';
import { type StartChatArgs, startChat } from '../resolvers/chat.ts';
import type { RunEventView } from '../resolvers/run-event-view.ts';
import { type FollowArgs, follow } from './run-events.ts';

/** Starts and follows in one operation. Sent again with its runId it attaches to the run that exists. */
export async function chat(
  args: FollowArgs & { readonly input: StartChatArgs },
  context: Context,
): Promise<AsyncIterable<RunEventView>> {
  const newRunId = randomUUID();
  const runId = args.input.runId?.toLowerCase() ?? newRunId;
  // Before anything is started: a cursor that is not of this run must not cost a generation.
  const key = { tenant: context.principal.tenant, runId };
  const events = follow(key, args, context);
  // Nor one of a run that is gone: whoever has seen events of it would be given another answer as their continuation.
  if (args.after != null && (await context.services.runs.find(key, context.signal)) === null) throw runNotFound(runId);
  await startChat({ input: args.input, newRunId }, context);
  return events;
}
