import { randomUUID } from 'node:crypto';
import { localProvider } from '../../adapters/local/local-provider.ts';
import { postgresApiKeyStore } from '../../adapters/postgres/api-key-store.ts';
import { postgresCheckpointStore } from '../../adapters/postgres/checkpoint-store.ts';
import { postgresCollectionStore } from '../../adapters/postgres/collection-store.ts';
import { postgresConversationStore } from '../../adapters/postgres/conversation-store.ts';
import type { Database } from '../../adapters/postgres/database.ts';
import { postgresDocumentStore } from '../../adapters/postgres/document-store.ts';
import { postgresEmbeddingStore } from '../../adapters/postgres/embedding-store.ts';
import { openDatabase } from '../../adapters/postgres/open-database.ts';
import { postgresParkedRuns } from '../../adapters/postgres/parked-runs.ts';
import { postgresProfileStore } from '../../adapters/postgres/profile-store.ts';
import { postgresRecommendationIndex } from '../../adapters/postgres/recommendation-index.ts';
import { postgresRunStore } from '../../adapters/postgres/run-store.ts';
import { postgresSearchIndex } from '../../adapters/postgres/search-index.ts';
import { postgresUsageStore } from '../../adapters/postgres/usage-store.ts';
import { agentExecutor } from '../../core/agents/agent-executor.ts';
import { createAgents } from '../../core/agents/agents.ts';
import { chatExecutor } from '../../core/chat/chat-executor.ts';
import { createResponseSchemas } from '../../core/chat/response-schemas.ts';
import type { Logger } from '../../core/contracts/logger.ts';
import { createModels } from '../../core/models/create-models.ts';
import { shareModels } from '../../core/models/sharing/share-models.ts';
import { UsageLedger } from '../../core/models/usage/usage-ledger.ts';
import { Runs } from '../../core/runs/runs.ts';
import { ingestExecutor } from '../../core/search/ingest-run.ts';
import type { Services } from '../../core/services.ts';
import type { Access } from '../authenticate.ts';
import { configuredAgents } from '../config/agents.ts';
import type { Config } from '../config/config-schema.ts';
import { defaultChatModel, routeOptions } from '../config/pool-faults.ts';
import { realClock } from '../real-clock.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { version } from '../version.ts';
import { openAccess } from './open-access.ts';
import { openLogs } from './open-logs.ts';
import { openMcpServers } from './open-mcp-servers.ts';
import { isLocalEmbedding, openProviders } from './open-providers.ts';
import { openSpending } from './open-spending.ts';
import { openTools } from './open-tools.ts';
import { sharingPolicies } from './sharing-policies.ts';

export interface OpenServices {
  readonly services: Services;
  readonly database: Database;
  readonly access: Access;
  /** The embedding model of the local provider is loaded, where it is the default one; elsewhere its first call loads it. */
  readonly modelReady: Promise<void>;
  close(): Promise<void>;
}

/** How a process that runs several gateways, one after the other, hands on what takes long to open. */
export interface Doors {
  readonly openDatabase: typeof openDatabase;
  readonly localProvider: typeof localProvider;
}

/** Opens everything that lives as long as the process; on failure closes again what it had opened. */
export async function openServices(
  config: Config,
  logger: Logger,
  telemetry: Telemetry,
  doors: Doors = { openDatabase, localProvider },
): Promise<OpenServices> {
  await using opened = new AsyncDisposableStack();
  const database = await doors.openDatabase({
    dataDir: config.dataDir,
    ...config.database,
    onStatement: telemetry.statements,
    ...(config.databaseUrl === undefined ? {} : { databaseUrl: config.databaseUrl }),
  });
  opened.defer(() => database.close());
  // Not before the database is open: see adapters/postgres/wasm-tiers.ts.
  const isLocalDefault = isLocalEmbedding(config);
  const local = doors.localProvider({
    load: isLocalDefault ? 'at-once' : 'at-first-call',
    ...(config.localWorkers === undefined ? {} : { workers: config.localWorkers }),
  });
  opened.defer(() => local.close());
  const usage = postgresUsageStore(database);
  const ledger = new UsageLedger({ store: usage, clock: realClock, logger });
  opened.defer(() => ledger.close());
  const instance = randomUUID();
  const logs = await openLogs(config, instance, logger);
  opened.defer(() => logs.close());
  const apiKeys = postgresApiKeyStore(database);
  const {
    spending,
    slots,
    admit,
    tenantLimits,
    close: closeSpending,
  } = openSpending(config, {
    ...{ database, instance, apiKeys, logger },
    rateLimiter: logs.rateLimiter,
  });
  opened.defer(closeSpending);
  const pool = createModels({
    providers: await openProviders(config, local),
    timeouts: config.timeouts,
    retries: config.retries,
    embeddings: config.embeddings,
    embeddingStore: postgresEmbeddingStore(database),
    routes: routeOptions(config),
    chatModel: defaultChatModel(config),
    observer: telemetry.pool,
    spending,
    rateLimiter: logs.rateLimiter,
    // Asking a model for the length of its vectors is nobody's cost.
    onUsage: (spent) => spent.tenant !== '' && ledger.add(spent),
  });
  opened.defer(() => pool.close());
  const models = shareModels(pool, {
    policyOf: sharingPolicies(config),
    cache: logs.responseCache,
    similarBytes: config.sharing.maxSemanticCacheBytes,
    observer: telemetry.pool,
  });
  const mcpServers = await openMcpServers(config, logger);
  opened.defer(() => mcpServers.close());
  const schemas = createResponseSchemas();
  opened.defer(() => schemas.close());
  const { eventLoopDelay } = telemetry;
  const stores = {
    collections: postgresCollectionStore(database),
    documents: postgresDocumentStore(database),
    searchIndex: postgresSearchIndex(database),
    conversations: postgresConversationStore(database),
    profiles: postgresProfileStore(database),
    recommendationIndex: postgresRecommendationIndex(database),
  };
  const toolbox = openTools(config, {
    servers: mcpServers.providers,
    ...stores,
    models,
    schemas,
    logger,
    limits: limitsOf(config),
  });
  const opening = await openAccess(config, { apiKeys, signals: logs.signals, logger });
  opened.defer(() => opening.close());
  const agents = createAgents(configuredAgents(config.agents));
  const storedRuns = postgresRunStore(database);
  const parkedRuns = postgresParkedRuns(database);
  const { maxRuns, maxQueuedRuns } = config.limits;
  const { log, unstored, signals } = logs;
  const runs = new Runs({
    ...{ instance, logger, log, unstored, signals },
    clock: realClock,
    ...config.runs,
    // The lock of an embedded database's directory says that whoever had it before is dead.
    membership: { alone: config.redisUrl === undefined, others: config.databaseUrl === undefined ? 'dead' : 'unknown' },
    stored: storedRuns,
    checkpoints: postgresCheckpointStore(database),
    parked: parkedRuns,
    executors: {
      AGENT: agentExecutor({ ...stores, models, agents, schemas, toolbox, limits: limitsOf(config) }),
      CHAT: chatExecutor({
        ...{ ...stores, models, schemas, toolbox, limits: limitsOf(config) },
        toolBounds: { maxTurns: config.tools.maxTurns, maxParallel: config.tools.maxParallel },
      }),
      INGEST: ingestExecutor({ ...stores, models }),
    },
    limits: { maxRuns, maxQueuedRuns, unwatchedGraceMs: config.timeouts.unwatchedGraceMs },
    observer: telemetry.runs,
    recordContent: config.telemetry.recordContent,
    slots,
    eventLoopLagMs: () => eventLoopDelay.p99Ms,
  });
  const services: Services = {
    ...stores,
    clock: realClock,
    logger,
    limits: limitsOf(config),
    recommendations: config.recommendations,
    models,
    agents,
    schemas,
    toolbox,
    storedRuns,
    parkedRuns,
    apiKeys,
    keyChanged: opening.keyChanged,
    usage: { ...usage, report: (...args) => ledger.flush().then(() => usage.report(...args)) },
    runs,
    admit,
    tenantLimits,
    health: () => {
      const components = [
        { name: 'database', ...database.health() },
        ...logs.health(),
        ...models.health(),
        ...mcpServers.health(),
      ];
      return {
        ok: components.every((component) => component.ok),
        version,
        components,
        eventLoopDelayP99Ms: eventLoopDelay.p99Ms,
      };
    },
  };
  const close = opened.move();
  return {
    ...{ services, database, access: opening.access },
    modelReady: isLocalDefault ? local.ready : Promise.resolve(),
    close: () => close.disposeAsync(),
  };
}

function limitsOf({ limits, timeouts, tools }: Config): Services['limits'] {
  return { ...limits, maxToolResultChars: tools.maxResultChars, maxRunTimeoutMs: timeouts.totalMs };
}
