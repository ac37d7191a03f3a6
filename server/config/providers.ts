import { z } from 'zod';
import { baseUrl, count, text } from './fields.ts';
import { presetNames } from './presets.ts';

const atMost = z.number().int().positive().optional();

/** Of one model; the same names at a provider are for all of its models. */
const limits = {
  /** Provider calls at once, over all keys; more wait in a queue of maxQueued. */
  maxConcurrent: atMost,
  maxQueued: z.number().int().nonnegative().optional(),
  /** By each key. */
  requestsPerMinute: atMost,
  tokensPerMinute: atMost,
};

/** What the same questions to a model or a route have in common. */
const sharing = {
  /** Identical generations at the same time are one provider call whatever their temperature; at 0 they always are. */
  coalesce: z.boolean().optional(),
  /** A whole reply is given again to the same question for so long; it is a call of the provider no more. */
  cache: z.strictObject({ ttlMs: count(1, 30 * 86_400_000, 3_600_000) }).optional(),
  /** … and to a question that means the same: from this cosine similarity on, by the default embedding model or another. */
  semanticCache: z
    .strictObject({
      threshold: z.number().min(0.5).max(1),
      ttlMs: count(1, 30 * 86_400_000, 3_600_000),
      embeddingModel: text.optional(),
    })
    .optional(),
};

export const model = z.strictObject({
  name: text,
  capabilities: z.array(z.enum(['CHAT', 'TOOLS', 'EMBEDDING', 'RERANK', 'MODERATION'])).optional(),
  contextWindow: atMost,
  maxOutputTokens: atMost,
  inputUsdPerMillion: z.number().nonnegative().optional(),
  cachedInputUsdPerMillion: z.number().nonnegative().optional(),
  outputUsdPerMillion: z.number().nonnegative().optional(),
  attachments: z.array(text).optional(),
  dimensions: atMost,
  ...sharing,
  ...limits,
});

const provider = z.strictObject({
  preset: z.enum(presetNames).optional(),
  baseUrl: baseUrl('keys go into apiKey or apiKeys, and a query into query').optional(),
  apiKey: text.optional(),
  /** Several: calls are spread over them. */
  apiKeys: z.array(text).min(1).optional(),
  /** It wants no key, though it is on another machine. */
  keyless: z.boolean().default(false),
  keyHeader: text.optional(),
  headers: z.record(text, z.string()).default({}),
  query: z.record(text, z.string()).default({}),
  chatModel: text.optional(),
  embeddingModel: text.optional(),
  models: z.array(model).default([]),
  /** Takes no names but those that stand here or in its list. */
  closed: z.boolean().default(false),
  embeddingLimits: z
    .strictObject({ maxTexts: z.number().int().positive(), maxTokens: z.number().int().positive() })
    .optional(),
  outputLimitField: z.enum(['max_completion_tokens', 'max_tokens']).optional(),
  ...limits,
});

const name = z.string().regex(/^[\w.-]{1,64}$/, 'expected a name of 1–64 letters, digits, dots, dashes or underscores');

/** By name. */
export const providers = z.record(name, provider);

const hedge = z.xor([
  z.strictObject({ afterMs: z.number().positive(), maxShare: z.number().positive().max(1).default(0.1) }),
  z.strictObject({ percentile: z.number().min(0.5).max(0.999), maxShare: z.number().positive().max(1).default(0.1) }),
]);

const route = z.strictObject({
  policy: z.enum(['fallback', 'weighted', 'fastest', 'cheapest']).default('fallback'),
  targets: z
    .array(
      z.strictObject({
        /** Left out: the default provider. */
        provider: text.optional(),
        model: text,
        weight: z.number().positive().optional(),
      }),
    )
    .min(1),
  ...sharing,
  largerContext: text.optional(),
  midStreamFallback: z.boolean().default(false),
  hedge: hedge.optional(),
});

/** By name. */
export const routes = z.record(name, route);

export type ConfiguredProvider = z.infer<typeof provider>;
export type ConfiguredRoute = z.infer<typeof route>;
