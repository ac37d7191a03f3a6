import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** An idle pooled socket is dropped before the firewalls on the way forget it without a word. */
const IDLE_SOCKET_MS = 30_000;

const statusesWithoutBody = new Set([204, 205, 304]);

/**
 * `fetch` over node:http, for three reasons: Node's own gives up by itself after 300 s without headers or bytes, though only
 * core may time out; it cannot bound its sockets; and its streams cost twice the CPU per token. Sockets are kept alive and,
 * unless `maxSockets` says otherwise, unbounded: thousands of streams run at once, core/models decides how many. It neither
 * follows redirects nor asks for compression, which would hold tokens back.
 */
export function httpFetch(
  maxSockets: number = Number.POSITIVE_INFINITY,
  callHeaders: () => Readonly<Record<string, string>> = () => ({}),
): typeof fetch {
  const options = { keepAlive: true, maxSockets, timeout: IDLE_SOCKET_MS };
  const agents = { http: new HttpAgent(options), https: new HttpsAgent(options) };

  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const secure = url.protocol === 'https:';
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request = (secure ? httpsRequest : httpRequest)(url, {
      agent: secure ? agents.https : agents.http,
      method: init?.method ?? 'GET',
      headers: { ...Object.fromEntries(new Headers(init?.headers)), ...callHeaders() },
      ...(init?.signal ? { signal: init.signal } : {}),
    });
    // `on`, not `once`: a socket that fails after the headers reports here too, and must not end the process.
    request.on('error', reject);
    request.once('response', resolve);
    request.end(textBody(init?.body));
    return toResponse(await promise);
  };
}

function textBody(body: RequestInit['body']): string | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string') return body;
  throw new TypeError('httpFetch sends text bodies only');
}

/** Which message a response was made of. */
const messages = new WeakMap<Response, IncomingMessage>();

/**
 * The message under a response of `httpFetch`, for reading tokens without the web stream between, which costs as much CPU
 * per token as everything else. Read one or the other, not both.
 */
export function messageOf(response: Response): IncomingMessage {
  const message = messages.get(response);
  if (message === undefined) throw new TypeError('messageOf needs a response of httpFetch');
  return message;
}

function toResponse(message: IncomingMessage): Response {
  const status = message.statusCode ?? 502;
  const headers = new Headers();
  for (const [name, values] of Object.entries(message.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  // An abort before anyone reads must not end the process; who reads later still finds the message destroyed.
  message.on('error', () => {});
  const empty = statusesWithoutBody.has(status);
  if (empty) message.resume();
  const response = new Response(empty ? null : lazyBody(message), { status, headers });
  messages.set(response, message);
  return response;
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
