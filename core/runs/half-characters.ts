import { isTerminal, type RunEvent } from '../contracts/run-event.ts';

/** An event that adds text to a message. */
export type Delta = Extract<RunEvent, { type: 'TextMessageDelta' | 'ReasoningDelta' }>;

/**
 * Keeps back the first half of a surrogate pair at the end of a delta until its mate comes: encoded by itself it would
 * become U+FFFD, and so would the mate.
 */
export function createHalfCharacters() {
  const held = new Map<string, Delta>();
  const keyOf = (delta: Delta) => `${delta.type} ${delta.messageId}`;
  const take = (delta: Delta): Delta => {
    held.delete(keyOf(delta));
    return { ...delta, delta: '\uFFFD' };
  };

  return {
    /** The event with the half from before in front, and without the half at its end. */
    whole(event: Delta): Delta {
      const before = held.size > 0 ? held.get(keyOf(event)) : undefined;
      if (event.delta === '') return event;
      const endsInHalf = isHighSurrogate(event.delta.charCodeAt(event.delta.length - 1));
      if (before === undefined && !endsInHalf) return event;
      const delta = (before?.delta ?? '') + event.delta;
      held.delete(keyOf(event));
      if (!endsInHalf) return { ...event, delta };
      held.set(keyOf(event), { ...event, delta: delta.slice(-1) });
      return { ...event, delta: delta.slice(0, -1) };
    },
    /** The halves whose mate cannot come any more once this event is written. */
    endedBy(event: RunEvent): Delta[] {
      if (held.size === 0) return [];
      if (isTerminal(event)) return this.all();
      if (event.type !== 'TextMessageEnded' && event.type !== 'TextMessageReset') return [];
      const ended = [...held.values()].filter((half) => half.messageId === event.messageId).map(take);
      // What is reset is thrown away by its readers anyway, and must not reach into the text that follows.
      return event.type === 'TextMessageReset' ? [] : ended;
    },
    all: (): Delta[] => [...held.values()].map(take),
  };
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
