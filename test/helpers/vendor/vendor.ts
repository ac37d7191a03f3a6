import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { countTokens } from 'gpt-tokenizer';
import { type Behaviour, BehaviourPlan } from './behaviour.ts';
import { answerChat } from './chat.ts';
import { answerEmbeddings } from './embeddings.ts';
import { type Exchange, pause, sendError, sendJson, unlessGone } from './exchange.ts';
import { Journal, type VendorCall } from './journal.ts';

export interface VendorOptions {
  /** 0, the default: any free one. */
  readonly port?: number;
  /** With it, every call must carry it as a bearer token. */
  readonly apiKey?: string;
  /** What /models lists; other names are answered all the same. */
  readonly models?: readonly string[];
  /** Length of vectors when the call does not ask for one. */
  readonly dimensions?: number;
  /** Tokens; a longer prompt is 400 context_length_exceeded. */
  readonly contextWindow?: number;
  /** For every request, under what was planned for it. */
  readonly defaults?: Behaviour;
  /** How many calls the journal keeps; older ones are forgotten. */
  readonly keepCalls?: number;
  /** Default: gpt-tokenizer, exact for OpenAI's newer models and slow for benchmarks. */
  readonly countTokens?: (text: string) => number;
  readonly stampTokens?: boolean;
  /** Input tokens beside those of the messages, with which OpenAI primes its replies; 0 by default, 3 there. */
  readonly primingTokens?: number;
}

/** An AI vendor on loopback that speaks OpenAI's protocol: what tests and benchmarks call instead of a real one. */
export interface Vendor extends AsyncDisposable {
  /** The base URL, with /v1. */
  readonly url: string;
  readonly port: number;
  /** Kept calls in order of arrival, of one path or all. */
  calls(path?: VendorPath): readonly VendorCall[];
  readonly inFlight: number;
  readonly maxConcurrent: number;
  /** Sockets accepted so far: fewer than calls when the caller keeps them alive. */
  readonly connections: number;
  /** Plans the next chat requests, one behaviour each. */
  next(...behaviours: readonly Behaviour[]): void;
  /** The same for another path. */
  nextOf(path: VendorPath, ...behaviours: readonly Behaviour[]): void;
  /** Plans every matching request; the newest rule wins. Returns what takes the rule away. */
  when(matches: (call: VendorCall) => boolean, behaviour: Behaviour): () => void;
  /** The nth call of this path, 1 being the first, as soon as it is there. */
  waitForCall(path: VendorPath, nth?: number): Promise<VendorCall>;
  waitForClose(call: VendorCall): Promise<VendorCall>;
  waitForTokens(call: VendorCall, tokens: number): Promise<VendorCall>;
  close(): Promise<void>;
}

export type VendorPath = '/chat/completions' | '/embeddings' | '/models';

/** A text that reads like a control token is text, as at a real vendor. */
const asPlainText = { disallowedSpecial: new Set<string>() };
const CONTEXT_WINDOW = 128_000;
const BACKLOG = 4_096;
const IDLE_SOCKET_MS = 60_000;

export async function startVendor(options: VendorOptions = {}): Promise<Vendor> {
  const journal = new Journal(options.keepCalls ?? 10_000);
  const plan = new BehaviourPlan();
  const settings = {
    countTokens: options.countTokens ?? ((text: string) => countTokens(text, asPlainText)),
    contextWindow: options.contextWindow ?? CONTEXT_WINDOW,
    stampTokens: options.stampTokens ?? false,
    primingTokens: options.primingTokens ?? 0,
    dimensions: options.dimensions ?? 256,
  };
  const models = options.models ?? ['gpt-4.1-mini', 'text-embedding-3-small'];
  let connections = 0;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readJson(request);
    const path = (request.url ?? '/').split('?')[0]?.replace(/^\/v1(?=\/)/, '') ?? '/';
    const call = journal.open({ method: request.method ?? 'GET', path, headers: request.headers, body });
    const gone = new AbortController();
    response.on('close', () => {
      journal.close(call, response.writableFinished);
      gone.abort();
    });
    const behaviour = { ...options.defaults, ...plan.of(call) };
    // The caller left while the body was read: 'close' has been, and will not come again.
    if (response.destroyed) {
      journal.close(call, false);
      gone.abort();
    }
    if (behaviour.hold !== undefined) await unlessGone(behaviour.hold, gone.signal);
    const latency = pause(behaviour.latencyMs, gone.signal);
    // A caller who leaves meanwhile is noticed where it is waited for.
    latency.catch(() => {});
    await route({ call, behaviour, response, signal: gone.signal, journal, latency });
  }

  async function route(exchange: Exchange): Promise<void> {
    const { call, behaviour } = exchange;
    if (options.apiKey !== undefined && call.headers.authorization !== `Bearer ${options.apiKey}`) {
      const message = `Incorrect API key provided: ${call.headers.authorization?.slice(7) ?? 'none'}.`;
      return sendError(exchange, 401, { type: 'invalid_request_error', code: 'invalid_api_key', message });
    }
    if (behaviour.status !== undefined) {
      const type = behaviour.status >= 500 ? 'server_error' : 'invalid_request_error';
      const error = { message: `The test vendor was told to answer ${behaviour.status}.`, type, ...behaviour.error };
      return sendError(exchange, behaviour.status, error);
    }
    const target = `${call.method} ${call.path}`;
    if (target === 'POST /embeddings') return answerEmbeddings(exchange, settings);
    await exchange.latency;
    if (target === 'POST /chat/completions') return answerChat(exchange, settings);
    if (target === 'GET /models') {
      const data = models.map((id) => ({ id, object: 'model', created: 0, owned_by: 'test-vendor' }));
      return sendJson(exchange, 200, { object: 'list', data });
    }
    const message = `Invalid URL (${target})`;
    return sendError(exchange, 404, { type: 'invalid_request_error', message });
  }

  const server = createServer({ keepAliveTimeout: IDLE_SOCKET_MS }, (request, response) => {
    answer(request, response).catch((error: unknown) => {
      // A caller who leaves ends every wait above; that is no fault. Anything else is one, of this double.
      if (!response.destroyed) response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.listen({ port: options.port ?? 0, host: '127.0.0.1', backlog: BACKLOG });
  await once(server, 'listening');
  // A server that listens on a port has an AddressInfo.
  const { port } = server.address() as AddressInfo;

  async function close(): Promise<void> {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }

  return {
    url: `http://127.0.0.1:${port}/v1`,
    port,
    calls: (path) => (path === undefined ? [...journal.calls] : journal.calls.filter((call) => call.path === path)),
    get inFlight() {
      return journal.inFlight;
    },
    get maxConcurrent() {
      return journal.maxConcurrent;
    },
    get connections() {
      return connections;
    },
    next: (...behaviours) => plan.queue('/chat/completions', behaviours),
    nextOf: (path, ...behaviours) => plan.queue(path, behaviours),
    when: (matches, behaviour) => plan.rule(matches, behaviour),
    waitForCall: (path, nth = 1) =>
      journal.waitFor(`call ${nth} of ${path}`, () => journal.calls.filter((call) => call.path === path)[nth - 1]),
    waitForClose: (call) =>
      journal.waitFor(`call ${call.number} to close`, () => (call.closedAt === null ? undefined : call)),
    waitForTokens: (call, tokens) =>
      journal.waitFor(`${tokens} tokens of call ${call.number}`, () => (call.tokensSent >= tokens ? call : undefined)),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    return null;
  }
}
