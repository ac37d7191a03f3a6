import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ExecutionArgs, type ExecutionResult, type FormattedExecutionResult, GraphQLError } from 'graphql';
import type { SubscribePayload } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Principal } from '../context.ts';
import { type App, graphqlPath } from './app.ts';
import { type Authenticate, authorizationOf } from './authenticate.ts';
import { type ToClientError, withCode } from './client-errors.ts';
import type { Config } from './config-schema.ts';
import { allowsOrigin } from './origin.ts';
import { requestScope } from './request-scope.ts';
import { SocketOperations } from './socket-operations.ts';

/** "Service Restart" in the registry of close codes: clients connect again. */
const serviceRestart = 1012;
const closeWithinMs = 1_000;

interface Parts {
  readonly app: App;
  readonly config: Config;
  readonly authenticate: Authenticate;
  readonly toClientError: ToClientError;
}

type Prepared = ExecutionArgs & {
  readonly runExecute: (args: ExecutionArgs) => unknown;
  readonly runSubscribe: (args: ExecutionArgs) => unknown;
};

/** graphql-ws on the path of HTTP, through the same plugins. */
export function attachWebSocket(server: Server, parts: Parts): { readonly close: () => Promise<void> } {
  const { config, authenticate, toClientError } = parts;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: config.limits.maxBodyBytes });
  const operations = new WeakMap<WebSocket, SocketOperations>();
  const principals = new WeakMap<WebSocket, Principal>();

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const refused = refusal(request, sockets.clients.size, config);
    if (refused !== null) {
      socket.end(`HTTP/1.1 ${refused}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      operations.set(webSocket, new SocketOperations(webSocket));
      sockets.emit('connection', webSocket, request);
    });
  });

  useServer(
    {
      onConnect: ({ connectionParams, extra }) => {
        const principal = authenticate(authorizationOf(connectionParams));
        if (principal === null) return false;
        principals.set(extra.socket, principal);
        return true;
      },
      onSubscribe: ({ extra }, id, payload) => {
        const requestId = randomUUID();
        const open = operations.get(extra.socket);
        const principal = principals.get(extra.socket);
        if (open === undefined || principal === undefined)
          throw new Error('an operation on a socket that was not accepted');
        const limit = config.limits.maxOperationsPerSocket;
        if (open.size >= limit) return [tooManyOperations(limit)];
        return requestScope.run({ requestId }, () => prepare(parts, payload, principal, requestId, open.begin(id)));
      },
      onNext: (_context, _id, _payload, _args, result) => shown(result as ExecutionResult),
      onError: (_context, _id, _payload, errors) => errors.map((error) => toClientError(causeOf(error)).toJSON()),
      onComplete: ({ extra }, id) => operations.get(extra.socket)?.end(id),
      // A query that is cancelled rejects; uncaught, graphql-ws would close the whole socket with all its operations.
      execute: async (args) => {
        try {
          return (await (args as Prepared).runExecute(args)) as ExecutionResult;
        } catch (error) {
          return { errors: [toClientError(error)] };
        }
      },
      subscribe: (args) => (args as Prepared).runSubscribe(args) as Promise<ExecutionResult>,
    },
    sockets,
  );
  return { close: () => closeAll(sockets) };
}

async function prepare(
  { app, toClientError }: Parts,
  { query, variables, operationName, extensions }: SubscribePayload,
  principal: Principal,
  requestId: string,
  signal: AbortSignal,
): Promise<ExecutionArgs | readonly GraphQLError[]> {
  const request = new app.fetchAPI.Request(`http://gateway${graphqlPath}`, { method: 'POST', signal });
  const params = {
    query,
    variables: variables ?? undefined,
    operationName: operationName ?? undefined,
    extensions: extensions ?? undefined,
  };
  const enveloped = app.getEnveloped({ request, params, principal, requestId });
  try {
    const document = enveloped.parse(query);
    const errors: readonly GraphQLError[] = enveloped.validate(enveloped.schema, document);
    if (errors.length > 0) return errors.map(withCode);
    const prepared: Prepared = {
      schema: enveloped.schema,
      document,
      contextValue: await enveloped.contextFactory(),
      variableValues: variables,
      operationName,
      runExecute: (args) => requestScope.run({ requestId }, () => enveloped.execute(args)),
      runSubscribe: (args) => requestScope.run({ requestId }, () => enveloped.subscribe(args)),
    };
    return prepared;
  } catch (error) {
    return [toClientError(error)];
  }
}

function refusal(request: IncomingMessage, open: number, config: Config): string | null {
  const path = (request.url ?? '').split('?')[0];
  if (path !== graphqlPath) return '404 Not Found';
  if (!allowsOrigin(request, config)) return '403 Forbidden';
  if (open >= config.limits.maxSockets) return '503 Service Unavailable';
  return null;
}

function tooManyOperations(limit: number): GraphQLError {
  return new GraphQLError(`${limit} operations are under way on this socket (limits.maxOperationsPerSocket).`, {
    extensions: { code: 'RATE_LIMITED', retryable: true, limit },
  });
}

/** Errors of GraphQL itself, such as a bad variable, get their code here; ours have theirs. */
function shown(result: ExecutionResult): FormattedExecutionResult | undefined {
  return result.errors ? { ...result, errors: result.errors.map((error) => withCode(error).toJSON()) } : undefined;
}

/** graphql-ws wraps what a stream threw. */
function causeOf(error: GraphQLError): unknown {
  return error.cause ?? error;
}

async function closeAll(sockets: WebSocketServer): Promise<void> {
  for (const socket of sockets.clients) socket.close(serviceRestart, 'The gateway restarts: connect again');
  const closed = Promise.all(
    [...sockets.clients].map((socket) => new Promise((resolve) => socket.once('close', resolve))),
  );
  const late = setTimeout(() => {
    for (const socket of sockets.clients) socket.terminate();
  }, closeWithinMs);
  await closed;
  clearTimeout(late);
  sockets.close();
}
