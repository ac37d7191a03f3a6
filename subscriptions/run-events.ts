import type { Context } from '../context.ts';
import type { RunKey } from '../core/contracts/event-log.ts';
import { decodeRunCursor } from '../core/pagination.ts';
import { followRun } from '../core/runs/follow-run.ts';
import { type RunEventView, viewOf } from '../resolvers/run-event-view.ts';
import { withTextSoFar } from './text-so-far.ts';

export interface FollowArgs {
  readonly after?: string | null | undefined;
  /** Whether the operation selects `textSoFar`: only then is the whole text built. */
  readonly wantsTextSoFar: boolean;
}

export function runEvents(
  args: FollowArgs & { readonly runId: string },
  context: Context,
): AsyncIterable<RunEventView> {
  return follow({ tenant: context.principal.tenant, runId: args.runId.toLowerCase() }, args, context);
}

/** Authorised by the key's tenant: another tenant's run does not exist here. */
export function follow(
  key: RunKey,
  { after, wantsTextSoFar }: FollowArgs,
  context: Context,
): AsyncIterable<RunEventView> {
  const from = after == null ? 0 : decodeRunCursor(key, after);
  const views = viewsOf(key, from, context);
  return wantsTextSoFar ? withTextSoFar(views, key, from, context.services.runs) : views;
}

async function* viewsOf(key: RunKey, from: number, { services, signal }: Context): AsyncGenerator<RunEventView> {
  for await (const event of followRun(services, key, from, signal)) yield viewOf(key, event);
}
