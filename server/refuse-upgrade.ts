import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../core/contracts/gateway-error.ts';

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
