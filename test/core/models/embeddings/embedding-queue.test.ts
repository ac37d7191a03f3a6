import { expect, test } from 'vitest';
import type { Caller, EmbeddingJob } from '../../../../core/models/embeddings/embedding-job.ts';
import { EmbeddingQueue } from '../../../../core/models/embeddings/embedding-queue.ts';

function queueOf(texts: readonly string[]): { readonly queue: EmbeddingQueue; readonly jobs: readonly EmbeddingJob[] } {
  const queue = new EmbeddingQueue();
  const caller = { callsInFlight: 0 } as Caller;
  const jobs = texts.map((text): EmbeddingJob => {
    const own = { key: text, tenant: 'acme', text, tokens: null };
    return { ...own, waiters: new Set(), state: 'WAITING', call: null };
  });
  for (const job of jobs) queue.add(job, caller);
  return { queue, jobs };
}

test('texts whose bytes fit are not counted before they are sent', () => {
  const { queue, jobs } = queueOf(['one two', 'three four']);
  expect(queue.take({ maxTexts: 8, maxTokens: 100 }, () => true)).toEqual(jobs);
  expect(jobs.map(({ tokens }) => tokens)).toEqual([null, null]);
});

test('texts with too many bytes are packed by their tokens', () => {
  const word = ' because';
  const { queue, jobs } = queueOf([word.repeat(4), `${word.repeat(4)}.`, word.repeat(3)]);
  // 9 tokens of 65 bytes, and 3 more that do not fit.
  expect(queue.take({ maxTexts: 8, maxTokens: 10 }, () => true)).toEqual(jobs.slice(0, 2));
  expect(jobs.map(({ tokens }) => tokens)).toEqual([4, 5, 3]);
});
