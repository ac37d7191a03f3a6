import { parentPort, workerData } from 'node:worker_threads';
import { WebSocket } from 'ws';

/*
 * Followers that subscribe, read nothing for a while, and then read to the end, in a thread of their own: what they catch up on in
 * the end must not hold up the clock of the followers beside them. Says for each whether anything was missing.
 */
export interface StalledFollowers {
  readonly webSocketUrl: string;
  readonly operation: string;
  readonly runIds: readonly string[];
  readonly stalledMs: number;
}

const { webSocketUrl, operation, runIds, stalledMs } = workerData as StalledFollowers;
parentPort?.postMessage(await Promise.all(runIds.map(stall)));

/** True when nothing was missing. */
async function stall(runId: string): Promise<boolean> {
  const socket = new WebSocket(webSocketUrl, 'graphql-transport-ws');
  let last = 0;
  let isWhole = true;
  const ended = new Promise<boolean>((resolve) => {
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init' })));
    socket.on('message', (text) => {
      const message = JSON.parse(String(text));
      if (message.type === 'connection_ack') {
        socket.send(
          JSON.stringify({ id: '1', type: 'subscribe', payload: { query: operation, variables: { runId } } }),
        );
        socket.pause();
        setTimeout(() => socket.resume(), stalledMs);
      }
      if (message.type === 'next') {
        const { seq } = message.payload.data.event;
        isWhole &&= seq === last + 1;
        last = seq;
      }
      if (message.type === 'complete') socket.close();
    });
    socket.on('close', () => resolve(isWhole && last > 0));
  });
  return await ended;
}
