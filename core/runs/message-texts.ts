import type { EventLog, RunKey } from '../contracts/event-log.ts';
import type { FollowedEvent } from './follow-run.ts';

const pageSize = 500;

/**
 * The text of each message of a run so far, for readers that want the whole with every delta. Costs a copy of the text
 * per delta, so it is made only for those. What a gap hides is not in it: after one it is the text since the gap.
 */
export class MessageTexts {
  readonly #texts = new Map<string, string>();

  /** Hears of the next event; returns its message up to and with it when it is a delta, null otherwise. */
  take(event: FollowedEvent['event']): string | null {
    switch (event.type) {
      case 'TextMessageDelta': {
        const text = (this.#texts.get(event.messageId) ?? '') + event.delta;
        this.#texts.set(event.messageId, text);
        return text;
      }
      case 'TextMessageReset':
        this.#texts.delete(event.messageId);
        return null;
      case 'StreamGap':
        this.#texts.clear();
        return null;
      default:
        return null;
    }
  }
}

/** The texts as they stand after the event `seq`: what a reader that resumes there has seen, as far as the log has it. */
export async function messageTextsAt(log: EventLog, key: RunKey, seq: number): Promise<MessageTexts> {
  const texts = new MessageTexts();
  for (let from = 0; from < seq; ) {
    const { events } = await log.read(key, from, Math.min(pageSize, seq - from));
    for (const { seq: at, event } of events) if (at <= seq) texts.take(event);
    const last = events.at(-1);
    if (last === undefined) break;
    from = last.seq;
  }
  return texts;
}
