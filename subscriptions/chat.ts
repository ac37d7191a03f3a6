import type { Context } from '../context.ts';
import { type StartChatArgs, startChat } from '../resolvers/chat.ts';
import type { RunEventView } from '../resolvers/run-event-view.ts';
import { type FollowArgs, follow } from './run-events.ts';

/** Starts and follows in one operation. Sent again with its runId it attaches to the run that exists. */
export async function chat(
  args: FollowArgs & { readonly input: StartChatArgs },
  context: Context,
): Promise<AsyncIterable<RunEventView>> {
  const run = await startChat(args, context);
  return follow(run, args, context);
}
