import type { Caller } from '../access/caller.ts';
import type { CollectionStore } from '../contracts/collection-store.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { RunRecord } from '../contracts/run-store.ts';
import { inputHash } from '../runs/input-hash.ts';
import type { Executor } from '../runs/live-run.ts';
import type { Runs } from '../runs/runs.ts';
import { assertStorable } from '../text/normalise.ts';
import { type IngestServices, type IngestTally, ingestDocuments } from './ingest.ts';
import { type DocumentInput, screenDocuments } from './screen-documents.ts';
import { collectionNotFound } from './search.ts';

export interface StartIngest {
  readonly runId: string;
  readonly in: string;
  readonly documents: readonly DocumentInput[];
}

interface IngestInput {
  readonly embeddingModel: string;
  readonly documents: readonly DocumentInput[];
}

export async function startIngest(
  services: {
    readonly runs: Runs;
    readonly collections: CollectionStore;
    readonly limits: { readonly maxDocumentsPerIngest: number; readonly maxDocumentChars: number };
  },
  { tenant, keyId }: Caller,
  request: StartIngest,
): Promise<RunRecord> {
  const { documents, runId } = request;
  const max = services.limits.maxDocumentsPerIngest;
  if (documents.length < 1 || documents.length > max) {
    throw new GatewayError(
      'BAD_INPUT',
      `documents must hold 1–${max} documents (limits.maxDocumentsPerIngest), got ${documents.length}.`,
    );
  }
  assertStorable(request.in, 'in');
  const [collection] = await services.collections.byNames(tenant, [request.in]);
  if (collection === undefined) throw collectionNotFound(request.in);
  const { accepted, failures } = screenDocuments(documents, services.limits);
  const input: IngestInput = { embeddingModel: collection.embeddingModel, documents: accepted };
  return services.runs.start({
    run: {
      tenant,
      runId,
      inputHash: inputHash({ in: request.in, documents }),
      keyId,
      input,
      user: null,
      metadata: {},
      whenUnwatched: 'FINISH',
      timeoutMs: null,
      detail: {
        kind: 'INGEST',
        collectionId: collection.id,
        documentsTotal: documents.length,
        documentsDone: 0,
        documentsSkipped: 0,
        failures,
        finishedBatches: [],
      },
    },
    stored: true,
    turn: null,
  });
}

export function ingestExecutor(services: IngestServices): Executor {
  return async (io, input) => {
    const { documents, embeddingModel } = input as IngestInput; // what startIngest gave to the store
    const { detail, tenant, keyId } = io.run;
    if (detail.kind !== 'INGEST') throw new Error(`a run of kind ${detail.kind} came to the ingest executor`);
    // What an earlier attempt had saved; the failures of the input itself are among its failures.
    let tally: IngestTally = { ...detail, done: detail.documentsDone, skipped: detail.documentsSkipped };
    const detailOf = ({ done, skipped, failures, finishedBatches }: IngestTally) => ({
      ...detail,
      documentsDone: done,
      documentsSkipped: skipped,
      failures,
      finishedBatches,
    });
    try {
      await ingestDocuments(
        services,
        { collectionId: detail.collectionId, embeddingModel, embed: true },
        documents,
        { tenant, payer: keyId, meter: io.meter, signal: io.signal },
        async (sums) => {
          tally = sums;
          await io.save({ detail: detailOf(sums), usage: io.meter.usage });
          const done = sums.done + sums.skipped + sums.failures.length;
          io.emit({ type: 'ProgressReported', done, total: detail.documentsTotal });
        },
        tally,
      );
      return { detail: detailOf(tally) };
    } catch (error) {
      return { detail: detailOf(tally), error };
    }
  };
}
