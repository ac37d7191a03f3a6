import { z } from 'zod';
import type { MetadataFilterInput } from '../../core/search/metadata-filter.ts';
import type { StartChatArgs } from '../../resolvers/chat.ts';
import { listOf, shownNames } from './bounded-list.ts';

/** What a chat takes from elsewhere in a RunAgentInput: its run id, the messages, and the tools of the front end. */
type Elsewhere = 'clientTools' | 'runId' | 'message' | 'attachments' | 'history' | 'conversationId' | 'parentMessageId';

/** The types only; which operators go together is checked in core/search/metadata-filter.ts. */
const filter: z.ZodType<MetadataFilterInput> = z.lazy(() =>
  z.strictObject({
    all: listOf(filter).nullish(),
    any: listOf(filter).nullish(),
    not: filter.nullish(),
    field: z.string().nullish(),
    equals: z.unknown().optional(),
    in: z.array(z.unknown()).nullish(),
    greaterThan: z.unknown().optional(),
    lessThan: z.unknown().optional(),
    exists: z.boolean().nullish(),
  }),
);

const retrieval = z.strictObject({
  in: z.string().nullish(),
  first: z.number().nullish(),
  mode: z.enum(['HYBRID', 'VECTOR', 'KEYWORD']).nullish(),
  filter: filter.nullish(),
  rerank: z.boolean().nullish(),
  perDocument: z.number().nullable().default(3),
});

/** The fields of `StartChatInput` by name, with the types and defaults that they have in the graph. */
const fields = {
  store: z.boolean().nullish(),
  system: z.string().nullish(),
  model: z.string().nullish(),
  temperature: z.number().nullish(),
  topP: z.number().nullish(),
  stop: listOf(z.string()).nullish(),
  seed: z.number().nullish(),
  reasoningEffort: z.enum(['NONE', 'LOW', 'MEDIUM', 'HIGH']).nullish(),
  maxOutputTokens: z.int().nullish(),
  providerOptions: z.unknown().optional(),
  responseSchema: z.unknown().optional(),
  retrieval: retrieval.nullish(),
  tools: listOf(z.string()).nullish(),
  toolChoice: z.string().nullish(),
  verify: z.boolean().nullish(),
  timeoutMs: z.int().nullish(),
  whenUnwatched: z.enum(['FINISH', 'CANCEL']).nullish(),
  user: z.string().nullish(),
  metadata: z.unknown().optional(),
} satisfies Record<Exclude<keyof StartChatArgs, Elsewhere>, z.ZodType>;

/** Of an agent, which then has the last user message as its goal. */
const agentFields = {
  agent: z.string().nullish(),
  limits: z
    .strictObject({
      maxSteps: z.int().nullish(),
      maxParallel: z.int().nullish(),
      maxTokens: z.int().nullish(),
      maxCostUsd: z.number().nullish(),
      timeoutMs: z.int().nullish(),
    })
    .nullish(),
};

export type AgentProps = z.infer<z.ZodObject<typeof agentFields>>;

/** A misspelt field must not pass unnoticed, so an unknown one is a fault, and the fault names those that there are. */
export const forwardedProps = z.strictObject(
  { ...fields, ...agentFields },
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown: ${shownNames(issue.keys)}; expected are the fields of StartChatInput, ${Object.keys(fields).join(', ')}, or agent and limits`
        : undefined,
  },
);
