import { z } from 'zod';
import { text } from './fields.ts';

/** Those that come with the gateway. */
export const mcpToolNames = ['search', 'ask', 'research', 'ingest'] as const;

const operationName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected a name of 1–64 letters, digits, dashes or underscores')
  .refine(
    (name) => !(mcpToolNames as readonly string[]).includes(name),
    'a tool that comes with the gateway has the name',
  );

const operation = z.strictObject({
  title: text.optional(),
  /** What it is for, in words that a model reads. */
  description: text,
  /** One query or mutation; whether the schema takes it is checked at the start. */
  document: text,
});

/** What the gateway serves at /mcp. */
export const mcp = z.strictObject({
  /** Which of the tools that come with the gateway; the scopes of each caller's key are above this. */
  tools: z.array(z.enum(mcpToolNames)).default([...mcpToolNames]),
  /** Operations of GraphQL as tools, by name. */
  operations: z.record(operationName, operation).default({}),
  /** What becomes of a call's run when its client goes: CANCEL stops it, FINISH lets it go on, to be found by GraphQL. */
  whenUnwatched: z.enum(['CANCEL', 'FINISH']).default('CANCEL'),
});

export type ConfiguredOperation = z.infer<typeof operation>;
