import { expect, test } from 'vitest';
import type { DocumentStore, DocumentWrite } from '../../../core/contracts/document-store.ts';
import { GatewayError } from '../../../core/contracts/gateway-error.ts';
import type { CallOptions, Models } from '../../../core/models/models.ts';
import { type IngestTally, ingestDocuments } from '../../../core/search/ingest.ts';
import { callerOf } from '../models/pool.ts';

const target = { collectionId: 'c', embeddingModel: 'e', embed: true };
const plain = { title: null, url: null, metadata: {} };

/** An ingest over a store that only remembers what is written, and a model that does what `embed` says. */
async function ingest(texts: readonly string[], embed: (text: string, call: CallOptions) => Promise<void>) {
  const written: DocumentWrite[] = [];
  const documents: Pick<DocumentStore, 'contentHashes' | 'write'> = {
    contentHashes: async () => new Map(),
    write: async (_tenant, _collection, writes) => void written.push(...writes),
  };
  const models: Pick<Models, 'embed'> = {
    async embed(_model, text, call) {
      await embed(text, call);
      return { vector: Float32Array.of(1), tokens: 1 };
    },
  };
  // It uses these methods of the two and no others.
  const services = { documents: documents as DocumentStore, models: models as Models };
  const inputs = texts.map((text, index) => ({ ...plain, externalId: `${index}`, text }));
  const tallies: IngestTally[] = [];
  const run = ingestDocuments(services, target, inputs, callerOf(), async (tally) => void tallies.push(tally));
  const failure = await run.then(
    () => null,
    (error: unknown) => error,
  );
  return { written, tallies, failure };
}

test('has at most 4,096 passages waiting for their vectors, however long its documents are', async () => {
  let waiting = 0;
  let most = 0;
  const long = Array.from({ length: 800 }, (_, index) => `Sentence ${index} of it. ${'word '.repeat(100)}.`).join(' ');
  const texts = Array.from({ length: 16 }, () => long);
  const { written, failure } = await ingest(texts, async () => {
    waiting += 1;
    most = Math.max(most, waiting);
    await new Promise(setImmediate);
    waiting -= 1;
  });
  expect(failure).toBeNull();
  expect(written.reduce((sum, { passages }) => sum + passages.length, 0)).toBeGreaterThan(8_192);
  expect(most).toBeGreaterThan(2_000);
  expect(most).toBeLessThanOrEqual(4_096);
});

test('stops embedding once it has failed, and begins no further batch', async () => {
  const away = new GatewayError('UPSTREAM_UNAVAILABLE', 'away', { retryable: true });
  const asked: string[] = [];
  const aborted: string[] = [];
  const texts = Array.from({ length: 40 }, (_, index) => `text ${index}`);
  const underWay = Promise.withResolvers<void>();
  const { written, failure, tallies } = await ingest(texts, async (text, { signal }) => {
    asked.push(text);
    if (asked.length === 16) underWay.resolve();
    if (text === 'text 3') {
      await underWay.promise;
      throw away;
    }
    return await new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        aborted.push(text);
        reject(signal.reason);
      });
    });
  });
  expect(failure).toBe(away);
  expect(asked.toSorted()).toEqual(texts.slice(0, 16).toSorted());
  expect(aborted).toHaveLength(15);
  expect([written, tallies]).toEqual([[], []]);
});

test.each(['BAD_INPUT', 'UPSTREAM_REJECTED'] as const)('takes %s for the fault of the document alone', async (code) => {
  const { written, failure, tallies } = await ingest(['good', 'bad', 'fine'], async (text) => {
    if (text === 'bad') throw new GatewayError(code, 'not this one');
  });
  expect(failure).toBeNull();
  expect(written.map(({ externalId }) => externalId)).toEqual(['0', '2']);
  expect(tallies.at(-1)).toMatchObject({
    done: 2,
    skipped: 0,
    failures: [{ externalId: '1', message: 'not this one' }],
  });
});
