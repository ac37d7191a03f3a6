import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { letGoOfStalled } from '../http/let-go-of-stalled.ts';
import type { AgUiEvent } from './events.ts';

const heartbeatMs = 15_000;

/** A response as a stream of server-sent events, each under the id that a client sends back to resume after it. */
export class EventStream implements Disposable {
  readonly #response: ServerResponse;
  readonly #signal: AbortSignal;
  readonly #heartbeat: NodeJS.Timeout;
  #lastId: string;

  /** `firstId` stands for what the client has when it has nothing of this stream yet. */
  constructor(response: ServerResponse, firstId: string, signal: AbortSignal) {
    this.#response = response;
    this.#signal = signal;
    this.#lastId = firstId;
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache, no-transform',
      'X-Accel-Buffering': 'no',
    });
    response.flushHeaders();
    letGoOfStalled(response);
    // A comment, so that proxies do not take a run that thinks for a dead connection.
    this.#heartbeat = setInterval(() => {
      if (!response.writableNeedDrain) response.write(':\n\n');
    }, heartbeatMs);
  }

  /**
   * Sends events that belong together: only the last of them has the new id, for a client that was cut off in between has
   * not seen it all. Resolves when the socket takes more; rejects when it has closed.
   */
  async send(events: readonly AgUiEvent[], id = this.#lastId): Promise<void> {
    if (events.length === 0) return;
    const frames = events.map((event, index) => {
      const eventId = index === events.length - 1 ? id : this.#lastId;
      return `id: ${eventId}\ndata: ${JSON.stringify(event)}\n\n`;
    });
    this.#lastId = id;
    this.#signal.throwIfAborted();
    if (!this.#response.write(frames.join(''))) await once(this.#response, 'drain', { signal: this.#signal });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#heartbeat);
    this.#response.end();
  }
}
