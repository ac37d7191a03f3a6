import { isTerminal, type RunEvent } from '../contracts/run-event.ts';

/** An event that adds text to a message. */
export type Delta = Extract<RunEvent, { type: 'TextMessageDelta' | 'ReasoningDelta' }>;

/**
 * Keeps back the first half of a surrogate pair at the end of a delta until its mate comes: encoded by itself it would
 * become U+FFFD, and so would the mate.
 */
export class HalfCharacters {
  /** Null until there is one: most texts never have any. */
  #held: Map<string, Delta> | null = null;

  /** The event with the half from before in front, and without the half at its end. */
  whole(event: Delta): Delta {
    const before = this.#held?.get(keyOf(event));
    if (event.delta === '') return event;
    const endsInHalf = isHighSurrogate(event.delta.charCodeAt(event.delta.length - 1));
    if (before === undefined && !endsInHalf) return event;
    const delta = (before?.delta ?? '') + event.delta;
    this.#held ??= new Map();
    this.#held.delete(keyOf(event));
    if (!endsInHalf) return { ...event, delta };
    this.#held.set(keyOf(event), { ...event, delta: delta.slice(-1) });
    return { ...event, delta: delta.slice(0, -1) };
  }

  /** The halves whose mate cannot come any more once this event is written. */
  endedBy(event: RunEvent): readonly Delta[] {
    if (this.#held === null || this.#held.size === 0) return none;
    if (isTerminal(event)) return this.all();
    if (event.type !== 'TextMessageEnded' && event.type !== 'TextMessageReset') return none;
    const ended = this.#take((half) => half.messageId === event.messageId);
    // What is reset is thrown away by its readers anyway, and must not reach into the text that follows.
    return event.type === 'TextMessageReset' ? none : ended;
  }

  all(): readonly Delta[] {
    return this.#take(() => true);
  }

  #take(isMeant: (half: Delta) => boolean): readonly Delta[] {
    if (this.#held === null) return none;
    const taken = [...this.#held.values()].filter(isMeant);
    for (const half of taken) this.#held.delete(keyOf(half));
    return taken.map((half) => ({ ...half, delta: '\uFFFD' }));
  }
}

const none: readonly Delta[] = [];

const keyOf = (delta: Delta): string => `${delta.type} ${delta.messageId}`;

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
