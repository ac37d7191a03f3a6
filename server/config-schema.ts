import { isIP } from 'node:net';
import { z } from 'zod';

const count = (min: number, max: number, fallback: number) =>
  z.coerce.number().int().min(min).max(max).default(fallback);
const milliseconds = (fallback: number) => count(0, 86_400_000, fallback);
const text = z.string().trim().min(1);
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((value) => value === 'true')], {
  error: 'expected true or false',
});

/** Bounds that protect the process; errors name them as `limits.<name>`. */
const limits = z.strictObject({
  maxRuns: count(1, 100_000, 512),
  maxQueuedRuns: count(0, 100_000, 2_048),
  maxSockets: count(1, 1_000_000, 10_000),
  maxOperationsPerSocket: count(1, 100_000, 100),
  maxDepth: count(1, 1_000, 15),
  maxAliases: count(1, 10_000, 150),
  maxTokens: count(50, 1_000_000, 4_000),
  maxFirst: count(1, 10_000, 100),
  maxFirstMessages: count(1, 10_000, 500),
  maxDocumentsPerIngest: count(1, 100_000, 1_000),
  maxDocumentChars: count(1, 100_000_000, 1_000_000),
  maxMessageChars: count(1, 100_000_000, 1_000_000),
  maxHistoryMessages: count(1, 100_000, 1_000),
  maxQueryChars: count(1, 1_000_000, 10_000),
  maxBodyBytes: count(1_024, 1_000_000_000, 20_000_000),
});

const timeouts = z.strictObject({
  firstTokenMs: milliseconds(60_000),
  idleMs: milliseconds(30_000),
  totalMs: milliseconds(600_000),
  unwatchedGraceMs: milliseconds(5_000),
  drainMs: milliseconds(20_000),
});

/** Of a PostgreSQL server; the embedded database has one connection and no timeouts. */
const database = z.strictObject({
  maxConnections: count(1, 1_000, 10),
  /** A longer statement is stopped, and fails as retryable; 0: none is stopped. */
  statementTimeoutMs: milliseconds(60_000),
  /** A statement that got no connection within this time fails as retryable. */
  connectTimeoutMs: count(100, 86_400_000, 10_000),
});

const log = z.strictObject({
  /** How long an ended run's log is kept. */
  retentionMs: milliseconds(3_600_000),
  maxEventsPerRun: count(100, 10_000_000, 100_000),
  /** Events that wait while Redis is away, all runs together, and how long each may wait. */
  maxBufferedBytes: count(1_000_000, 10_000_000_000, 64 * 1024 * 1024),
  maxOutageMs: milliseconds(60_000),
});

const embeddings = z.strictObject({
  /** Of vectors in memory, over all models. */
  cacheBytes: count(0, 100_000_000_000, 64 * 1024 * 1024),
  /** Vectors of providers that are kept in the database; 0: none. */
  maxStored: count(0, 100_000_000, 100_000),
  /** How long one is kept there that nobody uses. */
  storedUnusedMs: count(1_000, Number.MAX_SAFE_INTEGER, 30 * 86_400_000),
});

const sharing = z.strictObject({
  /** Of replies that are kept to be given again: in this process, or in Redis, over all instances. */
  maxCacheBytes: count(0, 1_000_000_000_000, 64 * 1024 * 1024),
});

const runs = z.strictObject({
  /** How long an instance may be silent before others take its runs over. */
  leaseMs: count(500, 600_000, 10_000),
  /** A run whose instance died so often has failed. */
  maxAttempts: count(1, 100, 3),
  /** How long a stored run is kept after its end. */
  retentionMs: count(60_000, Number.MAX_SAFE_INTEGER, 30 * 86_400_000),
});

const metrics = z.strictObject({
  /** Reads /metrics, and nothing else. */
  token: z.string().min(16, 'expected at least 16 characters').optional(),
  /** Operation names that the metrics tell apart; clients choose names freely, so all others are one. */
  operationNames: z.array(text).max(200).default([]),
});

const logLevel = z.enum(['info', 'debug', 'off']).default('info');

const telemetry = z.strictObject({
  /** One line for each operation, and for each run that ended. */
  operationLog: logLevel,
  runLog: logLevel,
});

const perMinute = z
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1)
  .nullable()
  .default(null);

/** What all keys of a tenant, and its callers without one, may use together; null: not limited. */
const tenant = z.strictObject({
  limits: z
    .strictObject({
      requestsPerMinute: perMinute,
      tokensPerMinute: perMinute,
      budgetUsdPerDay: z.number().positive().max(1e9).nullable().default(null),
      maxConcurrentRuns: perMinute,
    })
    .prefault({}),
  allowUnknownPrice: z.boolean().default(false),
});

const model = z.strictObject({
  name: text,
  capabilities: z.array(z.enum(['CHAT', 'TOOLS', 'EMBEDDING', 'RERANK', 'MODERATION'])).optional(),
  contextWindow: z.number().int().positive().optional(),
  inputUsdPerMillion: z.number().nonnegative().optional(),
  cachedInputUsdPerMillion: z.number().nonnegative().optional(),
  outputUsdPerMillion: z.number().nonnegative().optional(),
  attachments: z.array(text).optional(),
  dimensions: z.number().int().positive().optional(),
  /** Identical generations at the same time are one provider call whatever their temperature; at 0 they always are. */
  coalesce: z.boolean().optional(),
  /** A whole reply is given again to the same question for so long; it is a call of the provider no more. */
  cache: z.strictObject({ ttlMs: count(1, 30 * 86_400_000, 3_600_000) }).optional(),
});

const openai = z.strictObject({
  apiKey: text.nullable().default(null),
  baseUrl: z
    .url({ protocol: /^https?$/, error: 'expected a URL that begins with http:// or https://', abort: true })
    .refine((url) => /^[^?#]*$/.test(url) && new URL(url).username === '' && new URL(url).password === '', {
      error: 'expected a URL without user, password and query; the key goes into OPENAI_API_KEY',
    })
    .optional(),
  chatModel: text.default('gpt-4.1-mini'),
  embeddingModel: text.default('text-embedding-3-small'),
  /** Provider calls at once, per model; more wait in a queue of maxQueued. */
  maxConcurrent: count(1, 100_000, 512),
  maxQueued: count(0, 1_000_000, 2_048),
  models: z.array(model).default([]),
});

export const configSchema = z
  .strictObject({
    host: text.default('127.0.0.1'),
    port: count(0, 65_535, 4_000),
    dataDir: text.default('.sluice'),
    databaseUrl: z
      .string()
      .regex(/^postgres(ql)?:\/\//, 'expected a URL that begins with postgres:// or postgresql://')
      .optional(),
    /** Redis, where the logs of several instances meet; needs databaseUrl. */
    redisUrl: z
      .string()
      .regex(/^rediss?(?:\+cluster)?:\/\//, 'expected a URL that begins with redis://, rediss:// or redis+cluster://')
      .optional(),
    /** A static key with every scope; with it, or with any key in the database, every operation needs one. */
    apiKey: z.string().min(16, 'expected at least 16 characters').optional(),
    /** Origins of web pages that may call from a browser, beside the gateway's own; loopback always may. */
    allowedOrigins: z.array(z.url()).default([]),
    seedDocs: flag.default(true),
    logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    retries: count(0, 10, 2),
    localWorkers: count(1, 64, 1).optional(),
    openai: openai.prefault({}),
    limits: limits.prefault({}),
    tenants: z.record(text, tenant).default({}),
    timeouts: timeouts.prefault({}),
    database: database.prefault({}),
    log: log.prefault({}),
    sharing: sharing.prefault({}),
    embeddings: embeddings.prefault({}),
    runs: runs.prefault({}),
    metrics: metrics.prefault({}),
    telemetry: telemetry.prefault({}),
  })
  .superRefine(({ redisUrl, databaseUrl }, context) => {
    if (redisUrl === undefined || databaseUrl !== undefined) return;
    context.addIssue({
      code: 'custom',
      path: ['redisUrl'],
      message: 'REDIS_URL needs DATABASE_URL: several instances cannot share an embedded database',
    });
  });

export type Config = z.infer<typeof configSchema>;

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
