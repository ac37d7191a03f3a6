import { builder } from './builder.ts';

export const UnwatchedPolicyRef = builder.enumType('UnwatchedPolicy', {
  description: 'What becomes of a run that nobody follows any more. CANCEL stops it after the grace period.',
  values: ['FINISH', 'CANCEL'] as const,
});

type InputFields =
  typeof builder extends PothosSchemaTypes.SchemaBuilder<infer Types>
    ? PothosSchemaTypes.InputFieldBuilder<Types, 'InputObject'>
    : never;

/** The first field of what starts a run. */
export const runIdField = (t: InputFields) => ({
  runId: t.field({
    type: 'UUID',
    required: false,
    description:
      'Client-chosen, the idempotency key: the same id with the same input returns the same run and spends nothing; with another input it is CONFLICT.',
  }),
});

/** The last fields of what starts a run that writes an answer: what becomes of it, and whom it is for. */
export const answeringFields = (t: InputFields) => ({
  whenUnwatched: t.field({ type: UnwatchedPolicyRef, required: false, defaultValue: 'FINISH' }),
  user: t.string({ description: "The app's own name for the person who asks." }),
  metadata: t.field({
    type: 'JSON',
    required: false,
    description: 'At most 16 short strings, for finding runs and for cost reports.',
  }),
});
