import { z } from 'zod';

export const citation = z.object({
  number: z.number().int(),
  quote: z.string(),
  title: z.string().nullable(),
  url: z.string().nullable(),
});
export type Citation = z.infer<typeof citation>;

export const ingestResult = z.object({
  documentsTotal: z.number(),
  documentsDone: z.number(),
  documentsSkipped: z.number(),
  failures: z.array(z.object({ externalId: z.string(), message: z.string() })),
});
export type IngestResult = z.infer<typeof ingestResult>;

/** What a chat and an ingest select of `RunFinished.run`; each gets its own part. */
const finishedRun = z.object({
  conversation: z.object({ id: z.string() }).nullish(),
  ...ingestResult.partial().shape,
});

const position = { seq: z.number().int(), cursor: z.string() };
const known = z.discriminatedUnion('__typename', [
  z.object({ __typename: z.literal('TextMessageDelta'), ...position, delta: z.string() }),
  z.object({ __typename: z.literal('TextMessageReset'), ...position, reason: z.string() }),
  z.object({ __typename: z.literal('SourceCited'), ...position, citation }),
  z.object({ __typename: z.literal('ProgressReported'), ...position, done: z.number(), total: z.number() }),
  z.object({ __typename: z.literal('StreamGap'), ...position }),
  z.object({ __typename: z.literal('RunFinished'), ...position, run: finishedRun }),
  z.object({
    __typename: z.literal('RunFailed'),
    ...position,
    error: z.object({ code: z.string(), message: z.string() }),
  }),
  z.object({ __typename: z.literal('RunCancelled'), ...position, reason: z.string() }),
]);
const knownNames: ReadonlySet<string> = new Set(known.options.map((option) => option.shape.__typename.value));

/** An event that these commands have no use for, or that is newer than they are: it still moves the cursor. */
const other = z.object({
  __typename: z
    .string()
    .refine((name) => !knownNames.has(name))
    .transform(() => 'Other' as const),
  ...position,
});

/** One event of a run's log, as far as the commands read it. */
export const runEvent = z.union([known, other]);
export type RunEvent = z.infer<typeof runEvent>;

export function isTerminal(event: RunEvent): boolean {
  return ['RunFinished', 'RunFailed', 'RunCancelled'].includes(event.__typename);
}
