import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises';
import type { WebSocket, WebSocketServer } from 'ws';
import type { SocketOperations } from './socket-operations.ts';

/** "Service Restart" in the registry of close codes: clients connect again. */
const serviceRestart = 1012;
const settleWithinMs = 1_000;
const closeWithinMs = 1_000;

/** Followers of runs that have just ended are given a moment to be told so. */
export async function closeSockets(
  sockets: WebSocketServer,
  operations: WeakMap<WebSocket, SocketOperations>,
): Promise<void> {
  const moment = new AbortController();
  const idle = Promise.all([...sockets.clients].map((socket) => operations.get(socket)?.whenIdle()));
  await Promise.race([idle, delay(settleWithinMs, undefined, { signal: moment.signal }).catch(() => {})]);
  moment.abort();
  // graphql-ws says that an operation is complete after it has told us.
  await immediate();
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
