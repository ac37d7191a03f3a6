import { z } from 'zod';
import type { Operation } from '../client/request.ts';
import { ingestResult } from '../client/run-event.ts';

export const startIngestOperation: Operation<unknown> = {
  document: 'mutation StartIngest($input: StartIngestInput!) { startIngest(input: $input) { run { runId } } }',
  data: z.object({ startIngest: z.object({ run: z.unknown() }) }),
};

export const createCollectionOperation: Operation<unknown> = {
  document:
    'mutation Create($input: CreateCollectionInput!) { createCollection(input: $input) { collection { name } } }',
  data: z.object({ createCollection: z.object({ collection: z.unknown() }) }),
};

export const ingestSubscription = /* GraphQL */ `
  subscription IngestEvents($runId: UUID!, $after: String) {
    runEvents(runId: $runId, after: $after) {
      __typename
      seq
      cursor
      ... on ProgressReported { done total }
      ... on RunFinished {
        run { ... on IngestRun { documentsTotal documentsDone documentsSkipped failures { externalId message } } }
      }
      ... on RunFailed { error { code message } }
      ... on RunCancelled { reason }
    }
  }
`;

const ingestRun = z.object({ run: ingestResult.nullable() });

/** What a run had done; for one that did not finish. */
export const ingestRunOperation: Operation<z.infer<typeof ingestRun>> = {
  document: /* GraphQL */ `
    query IngestRun($runId: UUID!) {
      run(runId: $runId) {
        ... on IngestRun { documentsTotal documentsDone documentsSkipped failures { externalId message } }
      }
    }
  `,
  data: ingestRun,
};
