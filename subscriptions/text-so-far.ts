import type { RunKey } from '../core/contracts/event-log.ts';
import { messageTextsAt } from '../core/runs/message-texts.ts';
import type { Runs } from '../core/runs/runs.ts';
import type { RunEventView } from '../resolvers/run-event-view.ts';

/** Adds to each delta the whole message up to it. A reader that resumes gets the text before its cursor from the log. */
export async function* withTextSoFar(
  views: AsyncIterable<RunEventView>,
  key: RunKey,
  from: number,
  runs: Runs,
): AsyncGenerator<RunEventView> {
  const texts = await messageTextsAt(runs.log, key, from);
  for await (const view of views) {
    const textSoFar = texts.take(view.event);
    yield textSoFar === null ? view : { ...view, textSoFar };
  }
}
