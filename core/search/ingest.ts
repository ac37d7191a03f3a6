import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import type { DocumentStore, DocumentWrite } from '../contracts/document-store.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { IngestFailureRecord } from '../contracts/run-store.ts';
import type { CallOptions, Models } from '../models/models.ts';
import { inputHash } from '../runs/input-hash.ts';
import { normaliseText } from '../text/normalise.ts';
import { splitPassagesInTurns } from '../text/passages.ts';
import type { DocumentInput } from './screen-documents.ts';

export interface IngestTarget {
  readonly collectionId: string;
  readonly embeddingModel: string;
  /** false: passages are written without vectors, and rank by their words until the backfill has come round. */
  readonly embed: boolean;
}

export interface IngestTally {
  readonly done: number;
  readonly skipped: number;
  readonly failures: readonly IngestFailureRecord[];
  /** By their place. */
  readonly finishedBatches: readonly number[];
}

export const nothingIngested: IngestTally = { done: 0, skipped: 0, failures: [], finishedBatches: [] };

export interface IngestServices {
  readonly documents: DocumentStore;
  readonly models: Models;
}

/** Documents that are embedded at the same time, and written in one transaction. */
const batchSize = 8;
const batchesAtOnce = 2;

/**
 * Normalises, skips what has not changed, splits, embeds and writes, batch by batch. A document that cannot be embedded
 * is a failure of its own; the others are kept. `onProgress` is called after each batch, with the sums so far. Given the sums of
 * an earlier attempt, it goes on from them.
 */
export async function ingestDocuments(
  services: IngestServices,
  target: IngestTarget,
  documents: readonly DocumentInput[],
  call: CallOptions,
  onProgress: (tally: IngestTally) => Promise<void>,
  earlier: IngestTally = nothingIngested,
): Promise<IngestTally> {
  let tally = earlier;
  const limit = pLimit(batchesAtOnce);
  const finished = new Set(earlier.finishedBatches);
  const batches = chunks(documents, batchSize).map((batch, place) =>
    limit(async () => {
      if (finished.has(place)) return;
      call.signal.throwIfAborted();
      const outcome = await ingestBatch(services, target, batch, call);
      tally = {
        done: tally.done + outcome.done,
        skipped: tally.skipped + outcome.skipped,
        failures: [...tally.failures, ...outcome.failures],
        finishedBatches: [...tally.finishedBatches, place],
      };
      await onProgress(tally);
    }),
  );
  const settled = await Promise.allSettled(batches);
  const failed = settled.find((batch) => batch.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return tally;
}

async function ingestBatch(
  { documents, models }: IngestServices,
  target: IngestTarget,
  batch: readonly DocumentInput[],
  call: CallOptions,
): Promise<Omit<IngestTally, 'finishedBatches'>> {
  const failures: IngestFailureRecord[] = [];
  const known = await documents.contentHashes(
    call.tenant,
    target.collectionId,
    batch.map((document) => document.externalId),
    call.signal,
  );
  let skipped = 0;
  const writes = await Promise.all(
    batch.map(async (document): Promise<DocumentWrite | null> => {
      try {
        const contentHash = hashOf(document);
        if (known.get(document.externalId) === contentHash) {
          skipped += 1;
          return null;
        }
        return { ...document, contentHash, passages: await embedPassages(models, target, document, call) };
      } catch (error) {
        if (call.signal.aborted || !(error instanceof GatewayError)) throw error;
        failures.push({ externalId: document.externalId, message: error.message });
        return null;
      }
    }),
  );
  const changed = writes.filter((write) => write !== null);
  if (changed.length > 0) await documents.write(call.tenant, target.collectionId, changed, call.signal);
  return { done: changed.length, skipped, failures };
}

async function embedPassages(
  models: Models,
  target: IngestTarget,
  { title, text }: DocumentInput,
  call: CallOptions,
): Promise<DocumentWrite['passages']> {
  const passages = await splitPassagesInTurns(normaliseText(text), {}, call.signal);
  if (!target.embed) return passages.map((passage) => ({ text: passage.text, vector: null }));
  return Promise.all(
    passages.map(async (passage) => {
      const { vector } = await models.embed(target.embeddingModel, embeddedText(title, passage.text), call);
      return { text: passage.text, vector };
    }),
  );
}

/** A passage is embedded with its document's title, as it is ranked by it. */
export function embeddedText(title: string | null, text: string): string {
  return title === null ? text : `${title}\n${text}`;
}

function hashOf({ text, title, url, metadata }: DocumentInput): string {
  return createHash('sha256').update(inputHash({ title, url, metadata })).update(text).digest('hex');
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
