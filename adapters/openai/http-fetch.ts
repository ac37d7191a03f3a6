import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import { headersOf } from './incoming-message.ts';

/** An idle pooled socket is dropped before the firewalls on the way forget it without a word. */
const IDLE_SOCKET_MS = 30_000;

const statusesWithoutBody = new Set([204, 205, 304]);

/** The sockets to one provider, and the two ways to use them. */
export interface HttpDoor {
  /** The message as it begins; its body is the caller's to read. */
  send(url: URL, options: SendOptions, body: string | undefined): Promise<IncomingMessage>;
  readonly fetch: typeof fetch;
}

interface SendOptions {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * node:http, for three reasons: Node's `fetch` gives up by itself after 300 s without headers or bytes, though only core may time
 * out; it cannot bound its sockets; and its streams cost twice the CPU per token. Sockets are kept alive and, unless `maxSockets`
 * says otherwise, unbounded: thousands of streams run at once, core/models decides how many. It neither follows redirects nor
 * asks for compression, which would hold tokens back. `callHeaders` is asked before each call.
 */
export function httpDoor(
  maxSockets: number = Number.POSITIVE_INFINITY,
  callHeaders: () => Readonly<Record<string, string>> = () => ({}),
): HttpDoor {
  const pool = { keepAlive: true, maxSockets, timeout: IDLE_SOCKET_MS };
  const agents = { http: new HttpAgent(pool), https: new HttpsAgent(pool) };

  function send(
    url: URL,
    { method, headers, signal }: SendOptions,
    body: string | undefined,
  ): Promise<IncomingMessage> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const secure = url.protocol === 'https:';
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request = (secure ? httpsRequest : httpRequest)({
      ...addressOf(url),
      method,
      headers: flat(url, { ...headers, ...callHeaders() }, body),
      agent: secure ? agents.https : agents.http,
      // The pool's own is for sockets that nobody uses: begun anew with every packet it would cost as much as the parsing.
      timeout: 0,
    });
    if (signal !== undefined) destroyOnAbort(request, signal);
    // `on`, not `once`: a socket that fails after the headers reports here too, and must not end the process.
    request.on('error', reject);
    request.once('response', (message) => {
      // An abort before anyone reads must not end the process; who reads later still finds the message destroyed.
      message.on('error', () => {});
      resolve(message);
    });
    request.end(body);
    return promise;
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
      return toResponse(await send(url, options, textBody(init?.body)));
    },
  };
}

type Address = Pick<ReturnType<typeof urlToHttpOptions>, 'protocol' | 'hostname' | 'port' | 'path'>;

const addresses = new WeakMap<URL, Address>();

/** A chat's URL is one object for all calls, and need not be taken apart for each. node:http keeps all it is given, call for call. */
function addressOf(url: URL): Address {
  const known = addresses.get(url);
  if (known !== undefined) return known;
  const { protocol, hostname, port, path } = urlToHttpOptions(url);
  const address = { protocol, hostname, path, ...(port === undefined ? {} : { port }) } as Address; // strict about undefined
  addresses.set(url, address);
  return address;
}

/**
 * Names and values by turns: node:http writes such a list out at once, where it keeps the headers of an object for as long as the call
 * lasts. What it adds to an object by itself is given here. The names come in small letters.
 */
function flat(url: URL, headers: Readonly<Record<string, string>>, body: string | undefined): readonly string[] {
  const list = headers['host'] === undefined ? ['Host', url.host] : [];
  for (const [name, value] of Object.entries(headers)) list.push(name, value);
  if (body !== undefined) list.push('Content-Length', String(Buffer.byteLength(body)));
  return list;
}

/** Not node:http's own `signal`: that watches the whole exchange with a dozen listeners, for the same end. */
function destroyOnAbort(request: ClientRequest, signal: AbortSignal): void {
  const abort = (): void => void request.destroy(new DOMException('The call was aborted.', 'AbortError'));
  signal.addEventListener('abort', abort, { once: true });
  request.once('close', () => signal.removeEventListener('abort', abort));
}

function textBody(body: RequestInit['body']): string | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string') return body;
  throw new TypeError('httpFetch sends text bodies only');
}

function toResponse(message: IncomingMessage): Response {
  const status = message.statusCode ?? 502;
  const empty = statusesWithoutBody.has(status);
  if (empty) message.resume();
  return new Response(empty ? null : lazyBody(message), { status, headers: headersOf(message) });
}

/** Touches the message only when the body is asked for. */
function lazyBody(message: IncomingMessage): ReadableStream<Uint8Array> {
  let chunks: AsyncIterator<Uint8Array> | undefined;
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    chunks ??= message[Symbol.asyncIterator]();
    const { done, value } = await chunks.next();
    if (done) controller.close();
    else controller.enqueue(value);
  };
  const cancel = () => void message.destroy();
  return new ReadableStream({ pull, cancel }, { highWaterMark: 0 });
}
