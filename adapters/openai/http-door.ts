import type { IncomingHttpHeaders } from 'node:http';
import { type Dispatcher, Pool } from 'undici';
import { IncomingReply } from './incoming-reply.ts';

/** An idle pooled socket is dropped before the firewalls on the way forget it without a word. */
const IDLE_SOCKET_MS = 30_000;

/** undici cannot give up a connection that is being made; a call that is aborted meanwhile does not wait for it. */
const CONNECT_MS = 60_000;

const statusesWithoutBody = new Set([204, 205, 304]);

/** The sockets to one provider, and the two ways to use them. */
export interface HttpDoor {
  /** The reply as it begins; its body is the caller's to read, and to read at once. */
  send(path: string, options: SendOptions, body: string | null): Promise<IncomingReply>;
  /** Resolves when the reply is whole. */
  readonly fetch: typeof fetch;
}

interface SendOptions {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface HttpDoorOptions {
  /** Sockets at once; default: no limit, core/models decides how many calls there are. */
  readonly maxSockets?: number | undefined;
  /** Asked before each call. */
  readonly callHeaders?: (() => Readonly<Record<string, string>>) | undefined;
}

/**
 * A pool of undici's, by its innermost interface: a call that waits holds 8 KB less than one of node:http, whose parsers are 10 KB each,
 * and Node's `fetch` costs twice the CPU per token. undici's limits of time are off but one, as only core times out. It neither follows
 * redirects nor asks for compression, which would hold tokens back. `origin` is the only server it talks to.
 */
export function httpDoor(origin: string, { maxSockets, callHeaders = () => ({}) }: HttpDoorOptions): HttpDoor {
  const pool = new Pool(origin, {
    connections: maxSockets ?? null,
    pipelining: 1,
    keepAliveTimeout: IDLE_SOCKET_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: CONNECT_MS },
    allowH2: false,
  });

  function send(path: string, { method, headers, signal }: SendOptions, body: string | null): Promise<IncomingReply> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const exchange = new Exchange(signal);
    const sent = { ...headers, ...callHeaders() };
    pool.dispatch({ method: method as Dispatcher.HttpMethod, path, headers: sent, body }, exchange);
    return exchange.reply;
  }

  return {
    send,
    fetch: async (input, init) => {
      const options = {
        method: init?.method ?? 'GET',
        headers: Object.fromEntries(new Headers(init?.headers)),
        ...(init?.signal ? { signal: init.signal } : {}),
      };
      const url = new URL(input instanceof Request ? input.url : input);
      const reply = await send(pathOf(url), options, textBody(init?.body));
      const text = await reply.text();
      const { status } = reply;
      return new Response(statusesWithoutBody.has(status) ? null : text, { status, headers: reply.headers() });
    },
  };
}

/** One call on its way: undici tells it what happens to the socket. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly reply: Promise<IncomingReply>;
  readonly #signal: AbortSignal | undefined;
  readonly #resolve: (reply: IncomingReply) => void;
  readonly #reject: (error: unknown) => void;
  #controller: Dispatcher.DispatchController | null = null;
  #incoming: IncomingReply | null = null;

  constructor(signal: AbortSignal | undefined) {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingReply>();
    this.reply = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = signal;
    signal?.addEventListener('abort', this, { once: true });
  }

  /** The signal was aborted. A call that has no socket yet ends when it gets one. */
  handleEvent(): void {
    const error = aborted();
    if (this.#controller === null) this.#reject(error);
    else this.#controller.abort(error);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#signal?.aborted) controller.abort(aborted());
    else this.#controller = controller;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // 100 Continue and its like say that the reply is still to come.
    if (status < 200) return;
    letGoOfPacket(controller);
    this.#incoming = new IncomingReply(status, headers, controller);
    this.#resolve(this.#incoming);
  }

  onResponseData(_: Dispatcher.DispatchController, bytes: Buffer): void {
    this.#incoming?.feed(bytes);
  }

  onResponseEnd(): void {
    this.#over(null);
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#reject(error);
    this.#over(error);
  }

  #over(error: Error | null): void {
    this.#signal?.removeEventListener('abort', this);
    this.#incoming?.close(error);
    this.#incoming = null;
  }
}

/**
 * undici's raw headers, which it has read by now, are views of the whole packet that they came in, in a list as old as the connection. What
 * an old object refers to is kept until V8 collects all of its heap, and here that would be up to 64 KB for each call that has waited.
 */
function letGoOfPacket(controller: Dispatcher.DispatchController): void {
  if (Array.isArray(controller.rawHeaders)) controller.rawHeaders.length = 0;
  controller.rawHeaders = null;
}

function aborted(): DOMException {
  return new DOMException('The call was aborted.', 'AbortError');
}

/** What a request line names, with its query. */
export function pathOf(url: URL): string {
  return url.pathname + url.search;
}

function textBody(body: RequestInit['body']): string | null {
  if (body === undefined || body === null) return null;
  if (typeof body === 'string') return body;
  throw new TypeError('fetch of an HttpDoor sends text bodies only');
}
