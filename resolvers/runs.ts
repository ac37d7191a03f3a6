import type { Context } from '../context.ts';
import { assertSeesKind, visibleKinds } from '../core/access/scopes.ts';
import type { RunKind } from '../core/contracts/run-event.ts';
import type { RunRecord, RunStatus } from '../core/contracts/run-store.ts';
import { checkFirst, decodeRunCursor, encodeRunCursor } from '../core/pagination.ts';
import { readRun } from '../core/runs/follow-run.ts';
import { messageTextsAt } from '../core/runs/message-texts.ts';
import { assertStorable } from '../core/text/normalise.ts';
import { type Connection, connectionOf, type PageArgs, pageInfoOf, pageOf } from './connection.ts';
import { orNull } from './found.ts';
import { type RunEventView, viewOf } from './run-event-view.ts';

export async function findRun(
  { runId }: { readonly runId: string },
  { loaders, principal }: Context,
): Promise<RunRecord | null> {
  const run = await orNull(loaders.run.load(runId.toLowerCase()));
  if (run !== null) assertSeesKind(principal, run.kind);
  return run;
}

export async function listRuns(
  args: PageArgs & {
    readonly kind?: RunKind | null | undefined;
    readonly status?: RunStatus | null | undefined;
    readonly user?: string | null | undefined;
  },
  { services, principal, signal }: Context,
): Promise<Connection<RunRecord>> {
  const { kind, status, user } = args;
  if (user != null) assertStorable(user, 'user');
  if (kind) assertSeesKind(principal, kind);
  const kinds = kind ? [kind] : visibleKinds(principal);
  const filter = {
    ...(kinds === null ? {} : { kinds }),
    ...(status ? { status } : {}),
    ...(user == null ? {} : { user }),
  };
  const scope = `runs:${principal.tenant}:${JSON.stringify(filter)}`;
  const page = pageOf(scope, args, services.limits.maxFirst);
  return connectionOf(scope, await services.storedRuns.list(principal.tenant, filter, page, signal), args);
}

export async function cancelRun({ runId }: { readonly runId: string }, { services, principal, signal }: Context) {
  const key = { tenant: principal.tenant, runId: runId.toLowerCase() };
  if (visibleKinds(principal) !== null) {
    const run = await services.runs.find(key, signal);
    if (run !== null) assertSeesKind(principal, run.kind);
  }
  return { run: await services.runs.cancel(key, signal) };
}

export function finishedRun(run: RunRecord, { services, signal }: Context): Promise<RunRecord> {
  return services.runs.whenFinished(run, signal);
}

export async function eventsOf(
  run: RunRecord,
  { first, after, wantsTextSoFar }: PageArgs & { readonly wantsTextSoFar: boolean },
  { services }: Context,
): Promise<Connection<RunEventView>> {
  checkFirst(first, { name: 'first', max: services.limits.maxFirstMessages });
  const from = after == null ? 0 : decodeRunCursor(run, after);
  const { events, hasNext } = await readRun(services, run, from, first);
  const texts = wantsTextSoFar ? await messageTextsAt(services.runs.log, run, from) : null;
  const edges = events.map((event) => ({
    cursor: encodeRunCursor(run, event.seq),
    node: viewOf(run, event, texts?.take(event.event)),
  }));
  return { edges, pageInfo: pageInfoOf(edges, { hasNext, hasPrevious: from > 0 }) };
}
