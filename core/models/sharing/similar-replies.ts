import { LRUCache } from 'lru-cache';
import { cosine, mayHaveOneAnswer } from './same-question.ts';

export interface Question {
  readonly text: string;
  readonly vector: Float32Array;
}

interface Kept {
  readonly question: Question;
  readonly reply: string;
  readonly until: number;
}

/** All of them are compared: 200 vectors of 1,536 numbers take about half a millisecond. */
const mostInRoom = 200;
const overheadBytes = 200;

/**
 * Replies by what was asked, in the memory of this process. A room holds what may answer each other: its key says everything of a
 * request but the words of its question. The room that was not entered the longest makes room for others, the oldest reply in one
 * for newer ones.
 */
export class SimilarReplies {
  readonly #rooms: LRUCache<string, readonly Kept[]> | null;

  /** `maxBytes` 0 keeps nothing. */
  constructor(maxBytes: number) {
    this.#rooms = maxBytes === 0 ? null : new LRUCache({ maxSize: maxBytes, sizeCalculation: bytesOf });
  }

  /** The reply to the most similar question of the room, if it is at least so similar. */
  find(room: string, question: Question, threshold: number): string | null {
    let best: { readonly reply: string; readonly similarity: number } | null = null;
    for (const { question: known, reply, until } of this.#rooms?.get(room) ?? []) {
      if (until <= performance.now() || known.vector.length !== question.vector.length) continue;
      const similarity = cosine(known.vector, question.vector);
      if (similarity < (best?.similarity ?? threshold) || !mayHaveOneAnswer(known.text, question.text)) continue;
      best = { reply, similarity };
    }
    return best?.reply ?? null;
  }

  add(room: string, question: Question, reply: string, ttlMs: number): void {
    const now = performance.now();
    const others = (this.#rooms?.get(room) ?? []).filter(({ until }) => until > now);
    this.#rooms?.set(room, [...others.slice(1 - mostInRoom), { question, reply, until: now + ttlMs }]);
  }
}

function bytesOf(room: readonly Kept[]): number {
  return room.reduce(
    (sum, { question, reply }) =>
      sum + question.vector.byteLength + 2 * (question.text.length + reply.length) + overheadBytes,
    overheadBytes,
  );
}
