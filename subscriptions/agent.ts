import { randomUUID } from 'node:crypto';
import type { Context } from '../context.ts';
import { type StartAgentArgs, startAgent } from '../resolvers/agents.ts';
import type { RunEventView } from '../resolvers/run-event-view.ts';
import type { FollowArgs } from './run-events.ts';
import { startAndFollow } from './start-and-follow.ts';

/** Starts and follows in one operation. Sent again with its runId it attaches to the run that exists. */
export function agent(
  args: FollowArgs & { readonly input: StartAgentArgs },
  context: Context,
): Promise<AsyncIterable<RunEventView>> {
  const newRunId = randomUUID();
  const runId = args.input.runId?.toLowerCase() ?? newRunId;
  return startAndFollow(runId, args, context, () => startAgent({ input: args.input, newRunId }, context));
}
