import { randomUUID } from 'node:crypto';
import { cancelRun } from '../client/cancel-run.ts';
import type { Connection } from '../client/connection.ts';
import { CommandError } from '../command-error.ts';
import type { IngestDocument, Parsed } from '../documents/parsed.ts';
import { batches } from './batches.ts';
import { finishRun } from './finish-run.ts';
import type { Progress } from './progress.ts';
import { readAhead } from './read-ahead.ts';
import { createCollection, type IngestInput, startRun } from './start-run.ts';
import type { Tally } from './tally.ts';

interface IngestPlace {
  readonly connection: Connection;
  /** The collection; made when there is none. */
  readonly in: string;
  readonly progress: Progress;
  readonly note: (line: string) => void;
}

/**
 * Sends documents in runs, one after the other: the gateway embeds with all it has, so a second run beside the first would
 * only wait. The next batch is read meanwhile. `tally` is right at any time, also when this throws.
 */
export async function ingestAll(
  place: IngestPlace,
  parsed: AsyncIterable<Parsed>,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  let found = 0;
  // A run that fails must stop the reading ahead too.
  const reading = new AbortController();
  const documents = documentsOf(parsed, tally, AbortSignal.any([signal, reading.signal]), () => {
    found += 1;
  });
  try {
    for await (const batch of readAhead(batches(documents))) {
      const before = tally.sent;
      const input = { runId: randomUUID(), in: place.in, documents: batch };
      await startWithCollection(place, input, before > 0, signal);
      tally.sent += batch.length;
      const { result, error } = await finishRun(
        place.connection,
        input.runId,
        (done) => place.progress.update(before + done, found),
        signal,
      );
      if (result !== null) tally.add(result);
      if (error !== null) throw error;
    }
  } finally {
    reading.abort();
  }
}

async function* documentsOf(
  parsed: AsyncIterable<Parsed>,
  tally: Tally,
  signal: AbortSignal,
  onDocument: () => void,
): AsyncGenerator<IngestDocument> {
  for await (const item of parsed) {
    signal.throwIfAborted();
    if (item.type === 'failure') tally.fail(item.failure);
    else {
      onDocument();
      yield item.document;
    }
  }
}

async function startWithCollection(place: IngestPlace, input: IngestInput, patient: boolean, signal: AbortSignal) {
  try {
    await startRun(place.connection, input, patient, signal);
  } catch (error) {
    // The gateway may have the request already.
    if (signal.aborted) await cancelRun(place.connection, input.runId);
    if (!(error instanceof CommandError && error.code === 'NOT_FOUND')) throw error;
    if (await createCollection(place.connection, input.in, signal)) place.note(`created the collection "${input.in}"`);
    await startRun(place.connection, input, patient, signal);
  }
}
