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

/** Of one ingest, waiting for their vectors: long documents must not fill the queue of all that their tenant embeds. */
const passagesAtOnce = 4_096;

/**
 * Normalises, skips what has not changed, splits, embeds and writes, batch by batch. A document that the model refuses is a
 * failure of its own; the others are kept. A provider that stays away is no document's fault: it ends the ingest, and what
 * was written by then stays. `onProgress` is called after each batch, with the sums so far, one call after the other. Given
 * the sums of an earlier attempt, it goes on from them.
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
  const finished = new Set(earlier.finishedBatches);
  const failed = new AbortController();
  const limit = pLimit(batchesAtOnce);
  // One report at a time: what is saved of a batch must not overtake what is saved of a later one.
  const inTurn = pLimit(1);
  // What is still being embedded when the ingest fails would be paid for nothing.
  const embed = embedder(services.models, target, {
    ...call,
    signal: AbortSignal.any([call.signal, failed.signal]),
  });
  const batches = chunks(documents, batchSize).map((batch, place) =>
    limit(async () => {
      if (failed.signal.aborted || finished.has(place)) return;
      try {
        call.signal.throwIfAborted();
        const outcome = await ingestBatch(services, target, batch, embed, call);
        const sums = {
          done: tally.done + outcome.done,
          skipped: tally.skipped + outcome.skipped,
          failures: [...tally.failures, ...outcome.failures],
          finishedBatches: [...tally.finishedBatches, place],
        };
        tally = sums;
        await inTurn(() => onProgress(sums));
      } catch (error) {
        failed.abort(error);
      }
    }),
  );
  await Promise.all(batches);
  failed.signal.throwIfAborted();
  return tally;
}

async function ingestBatch(
  { documents }: IngestServices,
  target: IngestTarget,
  batch: readonly DocumentInput[],
  embed: Embed,
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
    batch.map(async (input): Promise<DocumentWrite | null> => {
      const document = normalised(input);
      try {
        const contentHash = hashOf(document);
        if (known.get(document.externalId) === contentHash) {
          skipped += 1;
          return null;
        }
        return { ...document, contentHash, passages: await embedPassages(document, embed, call.signal) };
      } catch (error) {
        if (call.signal.aborted || !isRefusedInput(error)) throw error;
        failures.push({ externalId: document.externalId, message: error.message });
        return null;
      }
    }),
  );
  const changed = writes.filter((write) => write !== null);
  if (changed.length > 0) await documents.write(call.tenant, target.collectionId, changed, call.signal);
  return { done: changed.length, skipped, failures };
}

type Embed = (text: string) => Promise<Float32Array | null>;

function embedder(models: Models, { embed, embeddingModel }: IngestTarget, call: CallOptions): Embed {
  if (!embed) return async () => null;
  const limit = pLimit(passagesAtOnce);
  return (text) =>
    limit(async () => {
      call.signal.throwIfAborted();
      return (await models.embed(embeddingModel, text, call)).vector;
    });
}

async function embedPassages(
  { title, text }: DocumentInput,
  embed: Embed,
  signal: AbortSignal,
): Promise<DocumentWrite['passages']> {
  const passages = await splitPassagesInTurns(text, {}, signal);
  return Promise.all(
    passages.map(async (passage) => ({ text: passage.text, vector: await embed(embeddedText(title, passage.text)) })),
  );
}

/** What is ranked by is all in one form of Unicode, as queries are too. */
function normalised(document: DocumentInput): DocumentInput {
  const { title, text } = document;
  return { ...document, title: title?.normalize('NFC') ?? null, text: normaliseText(text) };
}

/** What speaks against the document, and against no other. */
function isRefusedInput(error: unknown): error is GatewayError {
  return error instanceof GatewayError && (error.code === 'BAD_INPUT' || error.code === 'UPSTREAM_REJECTED');
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
