import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { keepRetention } from '../core/runs/retention.ts';
import { createAgUi } from './ag-ui/ag-ui.ts';
import { createApp } from './app.ts';
import { createToClientError } from './client-errors.ts';
import { loadConfig } from './config/config.ts';
import type { Config } from './config/config-schema.ts';
import { createHttpServer, type Serving } from './http/http-server.ts';
import { isLoopback } from './http/loopback.ts';
import { createMcp } from './mcp/mcp.ts';
import { mcpOptions } from './mcp/mcp-options.ts';
import { accessAtStart } from './services/open-access.ts';
import { type Doors, openServices } from './services/open-services.ts';
import { embedInBackground, prepareDocs } from './services/prepare-docs.ts';
import { createLogger } from './telemetry/logger.ts';
import { serviceMetrics } from './telemetry/metrics/service-metrics.ts';
import { createTelemetry } from './telemetry/telemetry.ts';
import { openTracing } from './telemetry/tracing/open-tracing.ts';
import { version } from './version.ts';
import { attachWebSocket } from './websocket/websocket.ts';

const enterAgainMs = 1_000;
const lateConnectionsMs = 1_000;

export interface Gateway {
  /** Of the endpoint. */
  readonly url: string;
  /** How often each named SQL statement has run: for metrics, and to see that a list costs as much as one of its items. */
  readonly statements: ReadonlyMap<string, number>;
  /** Stops accepting, lets runs end within the drain period, tells clients to connect again. Safe to call twice. */
  close(): Promise<void>;
}

/** Starts the gateway and resolves when it is ready. */
export async function start(environment: NodeJS.ProcessEnv, doors?: Doors): Promise<Gateway> {
  const config = await loadConfig(environment);
  const secrets = [
    ...[config.apiKey, config.metrics.token, config.openai.apiKey],
    ...[config.databaseUrl, config.redisUrl, ...Object.values(config.telemetry.otlpHeaders)],
    ...Object.values(config.providers).flatMap(({ apiKey, apiKeys = [], headers }) => [
      ...[apiKey, ...apiKeys],
      ...Object.values(headers),
    ]),
    ...Object.values(config.mcpServers).flatMap(({ env, headers }) => [
      ...Object.values(headers),
      // Short ones are switches (`DEBUG=1`), which would be taken out of every line.
      ...Object.values(env).filter((value) => value.length >= 8),
    ]),
  ].filter((secret) => secret != null);
  const logger = createLogger({ level: config.logLevel, secrets });
  let state: Serving | { notReady: string } = { notReady: 'it is opening its database' };
  let access = accessAtStart(config);
  await using starting = new AsyncDisposableStack();
  const telemetry = starting.use(createTelemetry(config, logger));
  const tracing = starting.use(await openTracing(config));
  const server = createHttpServer({ config, access: () => access, logger, telemetry, state: () => state });
  server.listen(config.port, config.host);
  await once(server, 'listening');
  starting.defer(async () => {
    server.closeAllConnections();
    server.close();
  });
  const opened = await openServices(config, logger, telemetry, doors);
  starting.defer(() => opened.close());
  const { services } = opened;
  access = opened.access;
  for (let other = await services.runs.enter(); other !== null; other = await services.runs.enter()) {
    state = { notReady: whyNotIn(other) };
    logger.warn({ other: other.instance }, state.notReady);
    await services.clock.sleep(enterAgainMs);
  }
  starting.defer(() => services.runs.drain(0));
  const background = new AbortController();
  await prepareDocs(services, config, background.signal);
  const embedding = embedInBackground(services, background.signal);
  const { storedRuns: store, runs, clock } = services;
  const purging = keepRetention(
    { store, log: runs.log, clock, logger, retentionMs: config.runs.retentionMs },
    background.signal,
  );
  state = { notReady: 'it is loading its embedding model' };
  await opened.modelReady;
  const app = createApp(services, config);
  const toClientError = createToClientError(logger);
  const sockets = attachWebSocket(server, { app, config, access, toClientError, logger, telemetry });
  serviceMetrics(telemetry.registry, { services, database: opened.database, sockets: sockets.count });
  const mcp = createMcp(services, mcpOptions(config, app), toClientError);
  state = { app, agUi: createAgUi(services, toClientError), mcp };
  starting.move();

  const url = urlOf(config, server.address() as AddressInfo);
  logger.info({ url, version, provider: services.models.chatModel(null).provider }, 'ready');
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    logger.info({ runs: services.runs.liveCount, drainMs: config.timeouts.drainMs }, 'stopping');
    state = { notReady: 'it is stopping' };
    const settled = untilSettled(server);
    server.close();
    background.abort();
    // Where another instance can go on with their streams, clients are sent there at once.
    if (config.redisUrl !== undefined) await sockets.close();
    await services.runs.drain(config.timeouts.drainMs);
    await sockets.close();
    await Promise.all([embedding, purging]);
    server.closeIdleConnections();
    await settled();
    await opened.close();
    telemetry[Symbol.dispose]();
    await tracing[Symbol.asyncDispose]();
    logger.info({}, 'stopped');
  };
  return {
    url,
    statements: opened.database.statements,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

function whyNotIn({ instance }: { readonly instance: string }): string {
  return `instance ${instance} uses this database too, and without REDIS_URL their logs would not meet: it waits until that one has gone`;
}

/** Of a server that is about to be closed. SSE responses end with their runs; what is open a second after is a client that does not read. */
function untilSettled(server: ReturnType<typeof createHttpServer>): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.once('close', resolve);
  return async () => {
    const late = setTimeout(() => {
      server.closeAllConnections();
      resolve();
    }, lateConnectionsMs);
    await promise;
    clearTimeout(late);
  };
}

function urlOf({ host }: Config, { port }: AddressInfo): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${isLoopback(host) && host.includes(':') ? `[${host}]` : name}:${port}/graphql`;
}
