import type { Context } from '../context.ts';
import { newId } from '../core/text/new-id.ts';
import { type StartChatArgs, startChat } from '../resolvers/chat.ts';
import type { RunEventView } from '../resolvers/run-event-view.ts';
import type { FollowArgs } from './run-events.ts';
import { startAndFollow } from './start-and-follow.ts';

/** Starts and follows in one operation. Sent again with its runId it attaches to the run that exists. */
export function chat(
  args: FollowArgs & { readonly input: StartChatArgs },
  context: Context,
): Promise<AsyncIterable<RunEventView>> {
  const newRunId = newId();
  const runId = args.input.runId?.toLowerCase() ?? newRunId;
  return startAndFollow(runId, args, context, () => startChat({ input: args.input, newRunId }, context));
}
