import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ExecutionResult, type FormattedExecutionResult, GraphQLError } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Principal } from '../../context.ts';
import type { Logger } from '../../core/contracts/logger.ts';
import { newId } from '../../core/text/new-id.ts';
import type { App } from '../app.ts';
import { type Access, authorizationOf } from '../authenticate.ts';
import { type ToClientError, withCode } from '../client-errors.ts';
import type { Config } from '../config/config-schema.ts';
import { inOperation } from '../request-scope.ts';
import { Operation } from '../telemetry/operations/operation.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { closeSockets } from './close-sockets.ts';
import { type Prepared, prepare, traceparentIn } from './prepare-operation.ts';
import { refusal, refuseUpgrade } from './refuse-upgrade.ts';
import { SocketOperations } from './socket-operations.ts';

/** Clients give up at once: after graphql-ws's own "Forbidden" they would send the same wrong key again and again. */
const unauthenticated = 4401;
/** Of a key that ended meanwhile. Clients connect again, and are refused by the code above unless they bring another key. */
const forbidden = 4403;
const tryAgainLater = 1013;

interface Parts {
  readonly app: App;
  readonly config: Config;
  readonly access: Access;
  readonly toClientError: ToClientError;
  readonly logger: Logger;
  readonly telemetry: Pick<Telemetry, 'operations'>;
}

export interface AttachedSockets {
  /** Open connections. */
  readonly count: () => number;
  readonly close: () => Promise<void>;
}

/** graphql-ws on the path of HTTP, through the same plugins. */
export function attachWebSocket(server: Server, parts: Parts): AttachedSockets {
  const { config, access, toClientError, logger, telemetry } = parts;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: config.limits.maxBodyBytes });
  const operations = new WeakMap<WebSocket, SocketOperations>();
  const principals = new WeakMap<WebSocket, Principal>();

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const refused = refusal(request, sockets.clients.size, config, access.isOpen);
    if (refused !== null) return refuseUpgrade(socket, refused);
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      operations.set(webSocket, new SocketOperations(webSocket));
      sockets.emit('connection', webSocket, request);
      // graphql-ws writes a frame that breaks the protocol to the console, as a fault of ours; ws closes the socket by itself.
      webSocket.removeAllListeners('error');
      webSocket.on('error', (error) => logger.debug({ error }, 'a client broke the protocol of its WebSocket'));
      forgiveLostWrites(webSocket);
    });
  });

  useServer(
    {
      onConnect: async ({ connectionParams, extra: { socket } }) => {
        const principal = await known(connectionParams, socket);
        // It may have been closed while the key was looked up: nothing would ever let go of it.
        if (principal === null || socket.readyState !== socket.OPEN) return false;
        principals.set(socket, principal);
        const held = access.hold(principal, ({ message }) =>
          socket.close(forbidden, closeReason(`FORBIDDEN: ${message}`)),
        );
        socket.once('close', () => held[Symbol.dispose]());
        return true;
      },
      onSubscribe: ({ extra }, id, payload) => {
        const requestId = newId();
        const open = operations.get(extra.socket);
        const principal = principals.get(extra.socket);
        if (open === undefined || principal === undefined)
          throw new Error('an operation on a socket that was not accepted');
        const limit = config.limits.maxOperationsPerSocket;
        const operation = new Operation(
          { transport: 'websocket', requestId, principal, traceparent: traceparentIn(payload, extra.request) },
          telemetry.operations,
        );
        if (open.size >= limit) {
          operation.failed('RATE_LIMITED');
          operation.end();
          return [tooManyOperations(limit)];
        }
        const signal = open.begin(id, operation);
        return inOperation(operation, () => prepare(parts, payload, principal, operation, signal));
      },
      onNext: ({ extra }, id, _payload, _args, result) => {
        const next = shown(result as ExecutionResult);
        if (next?.errors !== undefined) operations.get(extra.socket)?.of(id)?.failedWith(next.errors);
        return next;
      },
      onError: ({ extra }, id, _payload, errors) => {
        // An operation that ends so is not completed: it would be counted for as long as the socket is open.
        const told = errors.map((error) => toClientError(causeOf(error)).toJSON());
        operations.get(extra.socket)?.of(id)?.failedWith(told);
        operations.get(extra.socket)?.end(id);
        return told;
      },
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

  /** Who connects; null: the socket is closed, with a code that says what to do. */
  async function known(
    connectionParams: Readonly<Record<string, unknown>> | undefined,
    socket: WebSocket,
  ): Promise<Principal | null> {
    try {
      const principal = await access.authenticate(authorizationOf(connectionParams));
      if (principal === null) {
        socket.close(unauthenticated, 'UNAUTHENTICATED: send the key in connectionParams.authorization');
      }
      return principal;
    } catch (error) {
      logger.error({ error }, 'an API key could not be looked up');
      socket.close(tryAgainLater, 'UPSTREAM_UNAVAILABLE: the API key cannot be looked up now');
      return null;
    }
  }

  return { count: () => sockets.clients.size, close: () => closeSockets(sockets, operations) };
}

/**
 * A client that goes while it is written to is no fault of ours, which graphql-ws would write to the console: that the
 * socket has closed ends its operations.
 */
function forgiveLostWrites(socket: WebSocket): void {
  const send = socket.send.bind(socket);
  socket.send = ((data: string, written: () => void) => send(data, () => written())) as WebSocket['send'];
}

function tooManyOperations(limit: number): GraphQLError {
  return new GraphQLError(`${limit} operations are under way on this socket (limits.maxOperationsPerSocket).`, {
    extensions: { code: 'RATE_LIMITED', retryable: true, limit },
  });
}

/** The protocol has room for 123 bytes. */
function closeReason(text: string): string {
  return Buffer.from(text)
    .subarray(0, 123)
    .toString()
    .replace(/\uFFFD+$/, '');
}

/** Errors of GraphQL itself, such as a bad variable, get their code here; ours have theirs. */
function shown(result: ExecutionResult): FormattedExecutionResult | undefined {
  return result.errors ? { ...result, errors: result.errors.map((error) => withCode(error).toJSON()) } : undefined;
}

/** graphql-ws wraps what a stream threw. */
function causeOf(error: GraphQLError): unknown {
  return error.cause ?? error;
}
