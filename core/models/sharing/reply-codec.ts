import type { Completion } from '../../contracts/model-provider.ts';
import type { PoolChunk } from '../models.ts';

export type Reply = Completion & { readonly model: string };

/** How the items of one call are kept as a text, and given again. */
export interface ReplyCodec<Item> {
  /** Null: it must not be given again. */
  encode(items: readonly Item[]): string | null;
  decode(text: string): readonly Item[];
}

/**
 * Only a reply that ended by itself, and says something, is kept: one that was cut by a limit, a filter or a tool call is not the
 * answer to its question. What came before a `reset` is void.
 */
export const streamCodec: ReplyCodec<PoolChunk> = {
  encode(chunks) {
    const kept = chunks.slice(chunks.findLastIndex(({ type }) => type === 'reset') + 1);
    const isClean = kept.some((chunk) => chunk.type === 'finish' && chunk.reason === 'STOP');
    if (!isClean || !kept.some(({ type }) => type === 'text')) return null;
    // Nearly all chunks are text: as bare strings they are a third of the size.
    return JSON.stringify(kept.map((chunk) => (chunk.type === 'text' ? chunk.delta : chunk)));
  },
  decode(text) {
    const kept = JSON.parse(text) as (string | PoolChunk)[]; // what `encode` wrote
    return kept.map((chunk) => (typeof chunk === 'string' ? { type: 'text', delta: chunk } : chunk));
  },
};

export const completionCodec: ReplyCodec<Reply> = {
  encode([reply]) {
    return reply === undefined || reply.finishReason !== 'STOP' || reply.text === '' ? null : JSON.stringify(reply);
  },
  decode: (text) => [JSON.parse(text) as Reply], // what `encode` wrote
};
