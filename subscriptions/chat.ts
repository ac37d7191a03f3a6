import { randomUUID } from 'node:crypto';
import type { Context } from '../context.ts';
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
  const events = follow({ tenant: context.principal.tenant, runId }, args, context);
  await startChat({ input: args.input, newRunId }, context);
  return events;
}
