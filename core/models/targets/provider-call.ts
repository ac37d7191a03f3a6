import type { ChatChunk, ChatRequest } from '../../contracts/model-provider.ts';
import type { Used } from '../usage/token-estimate.ts';

/** How one provider call is made. */
export interface Try {
  /** False: refused at once where it would have to wait for a limit; another target may take it. */
  readonly patient: boolean;
  /** 1 for the job's first call of this target. */
  readonly number: number;
  /** Ends this call; the job's own, or one that ends sooner. */
  readonly signal: AbortSignal;
}

/** What the request must ask for, since the worst case that was set aside for it rests on it. */
export type OutputBound = Pick<ChatRequest, 'maxOutputTokens'>;

/** A provider call that has answered, or begun to. */
export interface Answer<T> {
  readonly value: T;
  /** Exactly once: frees its place and settles its cost. `error` is what ended it after all; null: it ended well. */
  end(used: Used | null, error: unknown): void;
}

/** A stream whose first chunk has come. */
export interface OpenStream {
  readonly first: ChatChunk;
  next(): Promise<IteratorResult<ChatChunk, undefined>>;
  /** Ends the provider call if it has not ended by itself. */
  close(): void;
}
