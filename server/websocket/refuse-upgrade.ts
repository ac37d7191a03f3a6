import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../../core/contracts/gateway-error.ts';
import { graphqlPath } from '../app.ts';
import type { Config } from '../config/config-schema.ts';
import { allowsOrigin, originRefused } from '../http/origin.ts';

/** Why a connection does not become a WebSocket. */
export interface UpgradeRefusal {
  /** Of HTTP, with its words. */
  readonly status: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
}

/** Answers an upgrade over plain HTTP, in the shape of a GraphQL result as everywhere else. */
export function refuseUpgrade(socket: Duplex, { status, code, message, retryable }: UpgradeRefusal): void {
  // Node has taken its own listener away: without one, a client that has gone by now would end the process.
  socket.on('error', () => socket.destroy());
  const body = JSON.stringify({ errors: [{ message, extensions: { code, retryable } }] });
  const headers = [
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`HTTP/1.1 ${status}\r\n${headers.join('\r\n')}\r\n\r\n${body}`);
}

/** Null: it may connect. */
export function refusal(
  request: IncomingMessage,
  open: number,
  config: Config,
  isOpen: boolean,
): UpgradeRefusal | null {
  const path = (request.url ?? '').split('?')[0] ?? '';
  const limit = config.limits.maxSockets;
  if (path !== graphqlPath) {
    const message = `There is no WebSocket at ${path}; the endpoint is ${graphqlPath}.`;
    return { status: '404 Not Found', code: 'NOT_FOUND', message, retryable: false };
  }
  if (!allowsOrigin(request, config, isOpen)) {
    return { status: '403 Forbidden', code: 'FORBIDDEN', message: originRefused, retryable: false };
  }
  if (open < limit) return null;
  const message = `${limit} WebSocket connections are open (limits.maxSockets); try again later.`;
  return { status: '503 Service Unavailable', code: 'RATE_LIMITED', message, retryable: true };
}
