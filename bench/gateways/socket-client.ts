import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Ending, OpenStream } from './http-client.ts';

/** graphql-transport-ws on one socket, one operation at a time, without a client library's own cost. */
export class SocketClient implements Disposable {
  readonly #socket: WebSocket;
  #onText: (text: string) => string | null = () => null;
  #onEnd: (ending: Ending) => void = () => {};
  #told: string | null = null;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.#read(String(data)));
    socket.on('close', () => this.#onEnd('broken'));
    socket.on('error', () => this.#onEnd('broken'));
  }

  static async connect(url: string): Promise<SocketClient> {
    const socket = new WebSocket(url, 'graphql-transport-ws');
    await once(socket, 'open');
    socket.send('{"type":"connection_init"}');
    await once(socket, 'message');
    return new SocketClient(socket);
  }

  stream(payload: string, onText: (text: string) => string | null): OpenStream {
    const { promise, resolve } = Promise.withResolvers<Ending>();
    this.#told = null;
    this.#onText = onText;
    this.#onEnd = resolve;
    this.#socket.send(`{"id":"1","type":"subscribe","payload":${payload}}`);
    return {
      ended: promise,
      leave: () => {
        resolve('left');
        this.#socket.terminate();
      },
    };
  }

  [Symbol.dispose](): void {
    this.#socket.terminate();
  }

  #read(message: string): void {
    if (message.startsWith('{"id":"1","type":"complete"')) {
      this.#onEnd(this.#told === null ? 'whole' : `error: ${this.#told}`);
      return;
    }
    this.#told = this.#onText(message) ?? this.#told;
    if (message.startsWith('{"id":"1","type":"error"')) this.#onEnd(`error: ${message.slice(0, 300)}`);
  }
}
