import { Agent, type IncomingMessage, request } from 'node:http';

/** Where a peer takes chats, and what it wants to be told with each. */
export interface HttpTarget {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

/** How a stream ended, as an app sees it. broken: the connection went before the end of the answer. */
export type Ending = 'whole' | 'broken' | 'left' | `error: ${string}`;

export interface OpenStream {
  readonly ended: Promise<Ending>;
  /** Closes the connection, as an app does that is not interested any more. */
  leave(): void;
}

/** As lean as a client can be: bare node:http on connections that are kept. */
export class HttpClient implements Disposable {
  readonly #target: HttpTarget;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

  constructor(target: HttpTarget) {
    this.#target = target;
  }

  async post(body: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#send(body, {}, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => (answer.statusCode === 200 ? resolve(text) : reject(new Error(text))));
      answer.on('error', reject);
    }).on('error', reject);
    return await promise;
  }

  /** `onText` hears the body as it comes, cut anywhere; what it returns is the error that the stream itself has told of. */
  stream(body: string, onText: (text: string) => string | null): OpenStream {
    const { promise, resolve } = Promise.withResolvers<Ending>();
    let told: string | null = null;
    let left = false;
    const sent = this.#send(body, { accept: 'text/event-stream' }, (answer) => {
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        told = onText(chunk) ?? told;
      });
      answer.on('end', () => {
        if (answer.statusCode !== 200) told ??= `HTTP ${answer.statusCode}`;
        resolve(told === null ? 'whole' : `error: ${told}`);
      });
      answer.on('error', () => resolve(left ? 'left' : 'broken'));
    });
    sent.on('error', () => resolve(left ? 'left' : 'broken'));
    return {
      ended: promise,
      leave: () => {
        left = true;
        sent.destroy();
      },
    };
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #send(body: string, more: Readonly<Record<string, string>>, onAnswer: (answer: IncomingMessage) => void) {
    const { url, headers } = this.#target;
    const length = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
    const sent = request(url, { agent: this.#agent, method: 'POST', headers: { ...headers, ...length, ...more } });
    sent.on('response', onAnswer);
    sent.end(body);
    return sent;
  }
}
