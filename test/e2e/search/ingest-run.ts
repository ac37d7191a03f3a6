import { randomUUID } from 'node:crypto';
import type { TestGateway } from '../../helpers/gateway.ts';

export interface DocumentView {
  readonly externalId: string;
  readonly text: string;
  readonly title?: string;
  readonly url?: string;
  readonly metadata?: unknown;
}

export interface IngestEvent {
  readonly __typename: string;
  readonly seq: number;
  readonly done?: number;
  readonly total?: number;
  readonly error?: RunErrorView;
}

interface RunErrorView {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

export interface IngestView {
  readonly status: string;
  readonly documentsTotal: number;
  readonly documentsDone: number;
  readonly documentsSkipped: number;
  readonly failures: readonly { readonly externalId: string; readonly message: string }[];
  readonly error: RunErrorView | null;
  readonly usage: { readonly calls: number; readonly inputTokens: number };
}

const start = `mutation IngestStart($input: StartIngestInput!) { startIngest(input: $input) { run { runId documentsTotal } } }`;
const follow = `subscription IngestFollow($runId: UUID!) { event: runEvents(runId: $runId) {
  __typename seq ... on ProgressReported { done total } ... on RunFailed { error { code message retryable } }
} }`;
const result = `query IngestResult($runId: UUID!) { run(runId: $runId) { finished { status
  error { code message retryable } usage { calls inputTokens }
  ... on IngestRun { documentsTotal documentsDone documentsSkipped failures { externalId message } }
} } }`;

/** Starts an ingest and returns its runId at once. */
export async function startIngest(
  gateway: TestGateway,
  documents: readonly DocumentView[],
  collection = 'default',
  runId: string = randomUUID(),
): Promise<string> {
  await gateway.data(start, { input: { runId, in: collection, documents } });
  return runId;
}

/** The run once it has ended, whichever way. */
export async function ingestResult(gateway: TestGateway, runId: string): Promise<IngestView> {
  const { run } = await gateway.data<{ run: { finished: IngestView } }, unknown>(result, { runId });
  return run.finished;
}

/** An ingest from its start to its end, with its whole log. */
export async function ingestRun(
  gateway: TestGateway,
  documents: readonly DocumentView[],
  collection = 'default',
): Promise<IngestView & { readonly events: readonly IngestEvent[] }> {
  const runId = await startIngest(gateway, documents, collection);
  const events: IngestEvent[] = [];
  for await (const { event } of gateway.subscribe<{ event: IngestEvent }, unknown>(follow, { runId }))
    events.push(event);
  return { ...(await ingestResult(gateway, runId)), events };
}

export interface StoredDocument {
  readonly id: string;
  readonly externalId: string;
  readonly title: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly texts: readonly string[];
}

/** All documents of a collection (at most 100) with all their passages, by externalId; null when there is no such collection. */
export async function storedIn(
  gateway: TestGateway,
  name: string,
): Promise<ReadonlyMap<string, StoredDocument> | null> {
  const { collection } = await gateway.data<StoredData, unknown>(stored, { name });
  if (collection === null) return null;
  const documents = collection.documents.edges.map(({ node: { passages, ...document } }) => ({
    ...document,
    texts: passages.edges.map(({ node }) => node.text),
  }));
  return new Map(documents.map((document) => [document.externalId, document]));
}

const stored = `query Stored($name: String!) { collection(name: $name) { documents(first: 100) { edges { node {
  id externalId title metadata createdAt updatedAt passages(first: 100) { edges { node { text } } }
} } } } }`;

interface StoredData {
  readonly collection: {
    readonly documents: {
      readonly edges: readonly {
        readonly node: Omit<StoredDocument, 'texts'> & {
          readonly passages: { readonly edges: readonly { readonly node: { readonly text: string } }[] };
        };
      }[];
    };
  } | null;
}
