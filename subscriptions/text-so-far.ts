import type { Context } from '../context.ts';
import type { RunKey } from '../core/contracts/event-log.ts';
import type { RunEvent } from '../core/contracts/run-event.ts';
import type { RunEventView } from '../resolvers/run-event-view.ts';

const pageSize = 500;

/** Adds to each delta the whole message up to it. A reader that resumes gets the text before its cursor from the log. */
export async function* withTextSoFar(
  views: AsyncIterable<RunEventView>,
  key: RunKey,
  from: number,
  context: Context,
): AsyncGenerator<RunEventView> {
  const texts = new Map<string, string>();
  await readBack(texts, key, from, context);
  for await (const view of views) {
    take(texts, view.event);
    yield view.event.type === 'TextMessageDelta' ? { ...view, textSoFar: texts.get(view.event.messageId) ?? '' } : view;
  }
}

async function readBack(texts: Map<string, string>, key: RunKey, from: number, { services }: Context): Promise<void> {
  for (let seq = 0; seq < from; ) {
    const { events } = await services.runs.log.read(key, seq, Math.min(pageSize, from - seq));
    const last = events.at(-1);
    if (last === undefined || last.seq > from) return;
    for (const { event } of events) take(texts, event);
    seq = last.seq;
  }
}

function take(texts: Map<string, string>, event: RunEventView['event'] | RunEvent): void {
  if (event.type === 'TextMessageReset') texts.delete(event.messageId);
  if (event.type === 'TextMessageDelta') texts.set(event.messageId, (texts.get(event.messageId) ?? '') + event.delta);
}
