import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { CommandError } from '../command-error.ts';
import type { Connection } from './connection.ts';
import { graphqlErrors, refusal, unauthenticated } from './failures.ts';

const handshakeTimeoutMs = 10_000;
const pingEveryMs = 10_000;
const pongTimeoutMs = 10_000;

const closeEvent = z.object({ code: z.number(), reason: z.string() });

/** The socket is gone. `opened` tells a gateway that went away from one that was never there. */
export class SocketDropped extends Error {
  readonly opened: boolean;
  constructor(reason: string, opened: boolean) {
    super(reason);
    this.name = 'SocketDropped';
    this.opened = opened;
  }
}

class TimedWebSocket extends WebSocket {
  constructor(url: string, protocols: string | string[]) {
    super(url, protocols, { handshakeTimeout: handshakeTimeoutMs });
  }
}

/**
 * One subscription on a socket of its own. Yields the `data` of each result and ends when the gateway completes it.
 * Throws SocketDropped when the socket goes (also one that went silent), CommandError when the gateway refuses, and the
 * signal's reason when aborted. It never reconnects: graphql-ws would send the same payload again, with the old cursor.
 */
export async function* socketSubscription(
  connection: Connection,
  payload: { readonly query: string; readonly variables: Record<string, unknown> },
  signal: AbortSignal,
): AsyncGenerator<unknown, void, undefined> {
  signal.throwIfAborted();
  let opened = false;
  let socketError: string | null = null;
  let pongTimer: NodeJS.Timeout | undefined;
  const client = createClient({
    url: connection.webSocketUrl,
    webSocketImpl: TimedWebSocket,
    ...(connection.authorization === null ? {} : { connectionParams: { authorization: connection.authorization } }),
    retryAttempts: 0,
    keepAlive: pingEveryMs,
    connectionAckWaitTimeout: handshakeTimeoutMs,
    on: {
      connected: () => {
        opened = true;
      },
      error: (error) => {
        socketError = messageOf(error);
      },
      ping: (received) => {
        if (!received) pongTimer = setTimeout(() => client.terminate(), pongTimeoutMs);
      },
      pong: (received) => {
        if (received) clearTimeout(pongTimer);
      },
    },
  });
  const abort = () => client.terminate();
  signal.addEventListener('abort', abort, { once: true });
  try {
    for await (const result of client.iterate(payload)) {
      signal.throwIfAborted();
      // An error below a nullable field leaves the event whole; only an event that did not come is a refusal.
      if (result.data) yield result.data;
      else throw refusal(graphqlErrors.parse(result.errors));
    }
  } catch (error) {
    signal.throwIfAborted();
    throw translate(error, opened, socketError);
  } finally {
    signal.removeEventListener('abort', abort);
    clearTimeout(pongTimer);
    client.terminate();
  }
}

/** graphql-ws throws what it got: a close event, an array of GraphQL errors, or an error of its own. */
function translate(error: unknown, opened: boolean, socketError: string | null): Error {
  if (error instanceof CommandError) return error;
  const refused = graphqlErrors.safeParse(error);
  if (refused.success) return refusal(refused.data);
  const closed = closeEvent.safeParse(error);
  if (closed.success) {
    const { code, reason } = closed.data;
    if (code === 4401 || code === 4403) return unauthenticated(reason || String(code));
    if (code === 4400 || code === 4406) {
      return new CommandError(`the gateway refused the WebSocket (${code} ${reason}): is it another version?`);
    }
    return new SocketDropped(socketError ?? `${code} ${reason}`.trim(), opened);
  }
  return new SocketDropped(socketError ?? messageOf(error), opened);
}

function messageOf(error: unknown): string {
  const parsed = z.object({ message: z.string() }).safeParse(error);
  return parsed.success ? parsed.data.message : String(error);
}
