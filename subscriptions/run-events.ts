import type { Context } from '../context.ts';
import { assertSeesKind, visibleKinds } from '../core/access/scopes.ts';
import type { RunKey } from '../core/contracts/event-log.ts';
import { decodeRunCursor } from '../core/pagination.ts';
import { followRun } from '../core/runs/follow-run.ts';
import { runNotFound } from '../core/runs/run-error.ts';
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

async function* viewsOf(key: RunKey, from: number, context: Context): AsyncGenerator<RunEventView> {
  const { services, principal, signal } = context;
  let isAllowed = visibleKinds(principal) === null;
  for await (const event of followRun(services, key, from, signal)) {
    // With the first event it is certain that the run is there, and of which kind it is.
    if (!isAllowed) await assertAllowed(key, context);
    isAllowed = true;
    yield viewOf(key, event);
  }
}

async function assertAllowed(key: RunKey, { services, principal, signal }: Context): Promise<void> {
  const run = await services.runs.find(key, signal);
  if (run === null) throw runNotFound(key.runId);
  assertSeesKind(principal, run.kind);
}
