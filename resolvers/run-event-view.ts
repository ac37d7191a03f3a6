import type { RunKey } from '../core/contracts/event-log.ts';
import type { RunEvent } from '../core/contracts/run-event.ts';
import type { FollowedEvent } from '../core/runs/follow-run.ts';

/** One event of one run, as the schema shows it. `textSoFar` is there only when it was selected. */
export interface RunEventView<E = RunEvent | { readonly type: 'StreamGap' }> {
  readonly key: RunKey;
  readonly seq: number;
  readonly at: number;
  readonly event: E;
  readonly textSoFar?: string;
}

export function viewOf(
  { tenant, runId }: RunKey,
  { seq, at, event }: FollowedEvent,
  textSoFar?: string | null,
): RunEventView {
  const view = { key: { tenant, runId }, seq, at, event };
  return textSoFar == null ? view : { ...view, textSoFar };
}
