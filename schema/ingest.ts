import type { RunRecord } from '../core/contracts/run-store.ts';
import { startIngest } from '../resolvers/ingest.ts';
import { builder } from './builder.ts';
import { IngestRunRef } from './refs.ts';
import { runIdField } from './run-input.ts';

const DocumentInput = builder.inputType('DocumentInput', {
  fields: (t) => ({
    externalId: t.string({ required: true, description: "The app's own id; the same id again replaces the document." }),
    text: t.string({ required: true, description: 'Plain text or Markdown, at most 1 MB.' }),
    title: t.string(),
    url: t.string(),
    metadata: t.field({ type: 'JSON', required: false, description: 'A JSON object, for filters.' }),
  }),
});

const StartIngestInput = builder.inputType('StartIngestInput', {
  fields: (t) => ({
    ...runIdField(t),
    in: t.string({ defaultValue: 'default', description: 'Name of the collection.' }),
    documents: t.field({
      type: [DocumentInput],
      required: true,
      description: '1–1,000; what has not changed is skipped.',
    }),
  }),
});

const StartIngestPayloadRef = builder.objectRef<{ readonly run: RunRecord }>('StartIngestPayload');
StartIngestPayloadRef.implement({
  fields: (t) => ({ run: t.field({ type: IngestRunRef, resolve: (payload) => payload.run }) }),
});

builder.mutationField('startIngest', (t) =>
  t.field({
    type: StartIngestPayloadRef,
    nullable: true,
    authScopes: { oneOf: ['INGEST'] },
    description:
      'Starts taking documents in and returns at once. A bad document is reported in `failures`; the others are kept.',
    args: { input: t.arg({ type: StartIngestInput, required: true }) },
    resolve: async (_root, args, ctx) => ({ run: await startIngest(args, ctx) }),
  }),
);
