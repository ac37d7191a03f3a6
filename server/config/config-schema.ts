import { z } from 'zod';
import { agentFaults, agents } from './agents.ts';
import { baseUrl, count, text } from './fields.ts';
import { mcp } from './mcp.ts';
import { mcpServers } from './mcp-servers.ts';
import { poolFaults } from './pool-faults.ts';
import { model, providers, routes } from './providers.ts';
import { tools } from './tools.ts';

const milliseconds = (fallback: number) => count(0, 86_400_000, fallback);
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
  maxInteractions: count(1, 100_000, 1_000),
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
  /** Of replies that answer similar questions again, in this process. */
  maxSemanticCacheBytes: count(0, 100_000_000_000, 64 * 1024 * 1024),
});

const runs = z.strictObject({
  /** How long an instance may be silent before others take its runs over. */
  leaseMs: count(500, 600_000, 10_000),
  /** A run whose instance died so often has failed. */
  maxAttempts: count(1, 100, 3),
  /** How long a run waits for an approval, or for the result of a client tool; then it has failed. */
  parkedTimeoutMs: count(1_000, 365 * 86_400_000, 86_400_000),
  /** How long a stored run is kept after its end. */
  retentionMs: count(60_000, Number.MAX_SAFE_INTEGER, 30 * 86_400_000),
});

const recommendations = z.strictObject({
  /** After so many days what somebody did says half as much. */
  halfLifeDays: z.coerce.number().min(0.01).max(36_500).default(30),
  /** 0: the best come first, however alike they are; 1: nothing that is like what stands before it. */
  diversity: z.coerce.number().min(0).max(1).default(0.3),
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
  /** Where spans are sent, by OTLP over HTTP: the collector's address without /v1/traces. */
  otlpEndpoint: z
    .url({ protocol: /^https?$/, error: 'expected a URL that begins with http:// or https://' })
    .optional(),
  otlpHeaders: z.record(text, z.string()).default({}),
  serviceName: text.default('sluice'),
  /** Of the traces that begin here; one that a caller began is recorded as the caller says. */
  sampleRatio: z.coerce.number().min(0).max(1).default(1),
  exportEveryMs: count(100, 60_000, 1_000),
  /** Tells providers the trace, in the header traceparent. */
  propagate: flag.default(false),
  /** Puts what was asked and answered into the spans of runs. */
  recordContent: flag.default(false),
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

const openai = z.strictObject({
  apiKey: text.nullable().default(null),
  baseUrl: baseUrl('the key goes into OPENAI_API_KEY').optional(),
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
    /** Further providers, by name. */
    providers: providers.default({}),
    /** One name for several models, by name. */
    routes: routes.default({}),
    /** A route or a model, where a request names none; left out: the first provider's. */
    chatModel: text.optional(),
    /** The gateway as an MCP server. */
    mcp: mcp.prefault({}),
    /** Beside the shipped ones, by name. */
    agents: agents.default({}),
    /** Whose tools runs may use, by name. */
    mcpServers: mcpServers.default({}),
    limits: limits.prefault({}),
    tenants: z.record(text, tenant).default({}),
    timeouts: timeouts.prefault({}),
    database: database.prefault({}),
    log: log.prefault({}),
    sharing: sharing.prefault({}),
    embeddings: embeddings.prefault({}),
    runs: runs.prefault({}),
    recommendations: recommendations.prefault({}),
    tools: tools.prefault({}),
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
  })
  .superRefine(
    (config, context) => {
      // A section that is wrong by itself says so by itself.
      const isWhole = openai.safeParse(config.openai).success && providers.safeParse(config.providers).success;
      if (!isWhole || !routes.safeParse(config.routes).success) return;
      const ofAgents = agents.safeParse(config.agents).success ? agentFaults(config.agents, config) : [];
      for (const { path, message } of [...poolFaults(config), ...ofAgents])
        context.addIssue({ code: 'custom', path: [...path], message });
    },
    // Beside other faults too: all are to be mended at once.
    { when: () => true },
  );

export type Config = z.infer<typeof configSchema>;
