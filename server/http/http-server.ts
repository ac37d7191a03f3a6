import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Principal } from '../../context.ts';
import type { Logger } from '../../core/contracts/logger.ts';
import { newId } from '../../core/text/new-id.ts';
import { type AgUi, agUiPath } from '../ag-ui/ag-ui.ts';
import { type App, graphqlPath, graphqlSsePath, type ServerContext } from '../app.ts';
import type { Access } from '../authenticate.ts';
import type { Config } from '../config/config-schema.ts';
import { type Mcp, mcpPath } from '../mcp/mcp.ts';
import { chatPage, chatPagePath } from '../pages/chat-page.ts';
import { graphiqlPage, wantsGraphiql } from '../pages/graphiql.ts';
import { sendPage } from '../pages/page.ts';
import { inOperation, requestScope } from '../request-scope.ts';
import { answerMetrics } from '../telemetry/metrics/answer-metrics.ts';
import { metricsPath } from '../telemetry/metrics/metrics-endpoint.ts';
import { Operation, type Transport } from '../telemetry/operations/operation.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { answer, end, redirect, refuse, tooLarge } from './answers.ts';
import { setCors } from './cors.ts';
import { answerDirectly } from './direct-operation.ts';
import { streamDirectly } from './direct-stream.ts';
import { allowsOrigin, originRefused } from './origin.ts';
import { parametersIn, plainAccept } from './plain-request.ts';
import { announcesAtMost, readBody } from './read-body.ts';

/**
 * Connections beside WebSockets. WebSockets have a bound that answers; beyond this one Node hangs up without a word, so it
 * lies higher.
 */
const plainConnections = 1_000;

export interface HttpParts {
  readonly config: Config;
  /** As long as the database is not open, nobody's but of the static key. */
  readonly access: () => Access;
  readonly logger: Logger;
  readonly telemetry: Pick<Telemetry, 'registry' | 'operations' | 'countAnswer'>;
  /** Null until the gateway is ready, and again when it drains; the text says why. */
  readonly state: () => Serving | { readonly notReady: string };
}

/** What answers requests once the gateway is ready. */
export interface Serving {
  readonly app: App;
  readonly agUi: AgUi;
  readonly mcp: Mcp;
}

const paths: readonly string[] = [graphqlPath, graphqlSsePath, agUiPath, mcpPath];
/** What the metrics tell apart. */
const countedPaths: readonly string[] = [...paths, metricsPath, chatPagePath, '/health', '/ready', '/'];

/** The HTTP edge around Yoga, AG-UI and MCP: request ids, origins, bounds, health, and who calls. */
export function createHttpServer(parts: HttpParts): Server {
  const { config, logger, telemetry } = parts;
  const server = createServer((request, response) => {
    const requestId = requestIdOf(request);
    const path = pathOf(request);
    response.on('close', () =>
      telemetry.countAnswer(countedPaths.includes(path) ? path : 'other', response.statusCode),
    );
    response.setHeader('X-Request-Id', requestId);
    requestScope.run({ requestId }, () =>
      handle(parts, request, response, requestId).catch((error: unknown) => {
        // The client left in the middle of its own body: nobody's fault, and nobody to answer.
        if (request.errored === error) return;
        logger.error({ requestId, error }, 'a request could not be answered');
        if (response.headersSent) response.destroy();
        else refuse(response, 500, 'INTERNAL', 'Internal error: the gateway log has it under this X-Request-Id.');
      }),
    );
  });
  server.maxConnections = config.limits.maxSockets + plainConnections;
  return server;
}

async function handle(
  parts: HttpParts,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Promise<void> {
  const { config, logger, state } = parts;
  const path = pathOf(request);
  const now = state();
  if (path === '/health') return answer(response, 200, { ok: true });
  if (path === '/ready') {
    return 'app' in now
      ? answer(response, 200, { ready: true })
      : answer(response, 503, { ready: false, reason: now.notReady });
  }
  if (path === '/') return redirect(response, graphqlPath);
  const isEndpoint = paths.includes(path) || path === metricsPath;
  const page = isEndpoint ? null : await chatPage(path);
  if (page === null && !isEndpoint)
    return refuse(response, 404, 'NOT_FOUND', `There is nothing at ${path}; the endpoint is ${graphqlPath}.`);
  const access = parts.access();
  if (!allowsOrigin(request, config, access.isOpen)) {
    return refuse(response, 403, 'FORBIDDEN', originRefused);
  }
  if (path === metricsPath) return answerMetrics(parts, request, response);
  setCors(request, response);
  if (request.method === 'OPTIONS') return end(response, 204);
  if (page !== null) return sendPage(page, request, response);
  if (path === graphqlPath && wantsGraphiql(request)) return sendPage(await graphiqlPage(), request, response);
  if (!('app' in now))
    return refuse(response, 503, 'UPSTREAM_UNAVAILABLE', `The gateway is not ready: ${now.notReady}.`, true);
  const principal = await known(access, request, response, logger);
  // Also when the client left while the key was looked up.
  if (principal === null || response.destroyed) return;
  if (path === graphqlSsePath && usesSingleConnection(request)) {
    return refuse(response, 405, 'BAD_INPUT', 'Use graphql-sse with distinct connections (singleConnection: false).');
  }
  if (path === agUiPath && request.method !== 'POST') {
    response.setHeader('Allow', 'POST, OPTIONS');
    return refuse(response, 405, 'BAD_INPUT', `${agUiPath} takes a RunAgentInput by POST, got ${request.method}.`);
  }
  if (path === mcpPath && request.method !== 'POST') {
    response.setHeader('Allow', 'POST, OPTIONS');
    return refuse(response, 405, 'BAD_INPUT', `${mcpPath} takes one JSON-RPC message by POST, got ${request.method}.`);
  }
  const maxBytes = config.limits.maxBodyBytes;
  const context: ServerContext = { principal, requestId, ended: endOfAccess(access, principal, request, response) };
  if (!announcesAtMost(request, maxBytes)) return tooLarge(response, maxBytes);
  const plain = plainAccept(request);
  let body: Buffer | null = null;
  if (path === agUiPath || path === mcpPath || plain !== null || request.headers['transfer-encoding'] !== undefined) {
    body = await readBody(request, maxBytes);
    if (body === null) return tooLarge(response, maxBytes);
  }
  if (path === agUiPath && body !== null) {
    const operation = beginOperation(parts, 'ag-ui', context, request, response);
    operation.is('ag-ui', null);
    const sent = { headers: request.headers, body };
    return inOperation(operation, () => now.agUi(sent, response, context));
  }
  if (path === mcpPath && body !== null) {
    const operation = beginOperation(parts, 'mcp', context, request, response);
    const sent = { headers: request.headers, body };
    return inOperation(operation, () => now.mcp(sent, response, context));
  }
  if (path === graphqlSsePath) request.url = (request.url ?? '').replace(graphqlSsePath, graphqlPath);
  response.setHeader('X-Accel-Buffering', 'no');
  const params = plain === null || body === null ? null : parametersIn(body);
  // What is understood is not held as it came for as long as its answer is waited for.
  if (params !== null) body = null;
  const operation = beginOperation(parts, 'http', context, request, response);
  await inOperation(operation, async () => {
    const answerPlain = plain === 'text/event-stream' ? streamDirectly : answerDirectly;
    if (params !== null && (await answerPlain(now.app, params, response, context))) return;
    const sent = params === null ? body : Buffer.from(JSON.stringify(params));
    if (sent !== null) Object.assign(request, { body: sent }); // Yoga's adapter takes a body that was read before it
    await now.app(request, response, context);
  });
}

function beginOperation(
  { telemetry }: HttpParts,
  transport: Transport,
  { requestId, principal }: ServerContext,
  { headers: { traceparent } }: IncomingMessage,
  response: ServerResponse,
): Operation {
  const operation = new Operation({ transport, requestId, principal, traceparent }, telemetry.operations);
  response.on('close', () => {
    if (!response.writableFinished) operation.failed('CANCELLED');
    operation.end();
  });
  return operation;
}

function pathOf({ url }: IncomingMessage): string {
  return (url ?? '/').split('?')[0] ?? '/';
}

/** Who calls; null: the request is refused. */
async function known(
  access: Access,
  { headers }: IncomingMessage,
  response: ServerResponse,
  logger: Logger,
): Promise<Principal | null> {
  try {
    const principal = await access.authenticate(headers.authorization);
    if (principal !== null) return principal;
  } catch (error) {
    logger.error({ requestId: requestScope.getStore()?.requestId, error }, 'an API key could not be looked up');
    refuse(response, 503, 'UPSTREAM_UNAVAILABLE', 'The API key cannot be looked up now; try again later.', true);
    return null;
  }
  response.setHeader('WWW-Authenticate', 'Bearer');
  const how = 'This gateway needs a key: send the header Authorization: Bearer <key>.';
  refuse(response, 401, 'UNAUTHENTICATED', how);
  return null;
}

/** Fires when the caller's key ends before the answer does. Who needs no key is told so on streams only: others end by themselves. */
function endOfAccess(
  access: Access,
  principal: Principal,
  { headers, url = '' }: IncomingMessage,
  response: ServerResponse,
): AbortSignal | null {
  const isStream = headers.accept?.includes('text/event-stream') || url.startsWith(agUiPath) || url.startsWith(mcpPath);
  if (principal.keyId === null && !isStream) return null;
  const ended = new AbortController();
  const held = access.hold(principal, (reason) => ended.abort(reason));
  response.once('close', () => held[Symbol.dispose]());
  return ended.signal;
}

/** The client's own id where it is fit to be logged. */
function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[\w.-]{1,100}$/.test(given) ? given : newId();
}

/** Its streams outlive their request, so that no signal would end them. */
function usesSingleConnection({ method, headers }: IncomingMessage): boolean {
  return method === 'PUT' || method === 'DELETE' || headers['x-graphql-event-stream-token'] !== undefined;
}
