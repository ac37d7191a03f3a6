/** What one `startIngest` may hold; the gateway takes 1,000 documents, and 20 MB for the whole request. */
export interface BatchLimits {
  readonly maxDocuments: number;
  readonly maxBytes: number;
}
export const defaultBatchLimits: BatchLimits = { maxDocuments: 1_000, maxBytes: 5_000_000 };

/** Gathers documents into batches by their size as JSON. One document above `maxBytes` is a batch of its own. */
export async function* batches<Document>(
  documents: AsyncIterable<Document>,
  limits: BatchLimits = defaultBatchLimits,
): AsyncGenerator<readonly Document[]> {
  let batch: Document[] = [];
  let bytes = 0;
  for await (const document of documents) {
    const size = Buffer.byteLength(JSON.stringify(document));
    if (batch.length === limits.maxDocuments || (batch.length > 0 && bytes + size > limits.maxBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(document);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
