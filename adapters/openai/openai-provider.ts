import OpenAI from 'openai';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { EmbeddingLimits, ModelProvider } from '../../core/contracts/model-provider.ts';
import { chatBody, type OutputLimitField } from './chat-body.ts';
import { openChatStream } from './chat-stream.ts';
import { readCompletion } from './completion.ts';
import { readEmbeddings } from './embeddings.ts';
import { httpFetch } from './http-fetch.ts';
import { readModels } from './model-list.ts';
import { cancelled, translateError } from './translate-error.ts';
import type { Upstream } from './upstream.ts';

export interface OpenaiProviderOptions {
  /** Default `openai`. */
  readonly name?: string;
  /** Up to and without the slash before `/chat/completions`. */
  readonly baseUrl: string;
  /** Null: no Authorization header is sent, as local servers have it. */
  readonly apiKey: string | null;
  /** More headers for every call, such as `OpenAI-Organization` or a proxy's own; their values are kept out of messages too. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sockets at once; further calls wait for one. Default: no limit, core/models limits the calls. */
  readonly maxConnections?: number;
  /** Default: OpenAI's own, 2,048 texts and 300,000 tokens in one call. */
  readonly embeddingLimits?: EmbeddingLimits;
  /** Default: `max_completion_tokens` for api.openai.com, `max_tokens` for every other server. */
  readonly outputLimitField?: OutputLimitField;
}

/** The SDK aborts a call by its own timer; this is the longest that a timer can be: 24 days. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;

const openaiEmbeddingLimits: EmbeddingLimits = { maxTexts: 2048, maxTokens: 300_000 };

/** OpenAI, or any server that speaks its `/chat/completions`, `/embeddings` and `/models`. */
export function openaiProvider(options: OpenaiProviderOptions): ModelProvider {
  const url = parseBaseUrl(options.baseUrl);
  const name = options.name ?? 'openai';
  const secrets = [options.apiKey ?? '', ...Object.values(options.headers ?? {})];
  const upstream: Upstream = { name, address: addressOf(url), secrets };
  const outputLimitField =
    options.outputLimitField ?? (url.hostname === 'api.openai.com' ? 'max_completion_tokens' : 'max_tokens');
  const client = new OpenAI({
    baseURL: options.baseUrl.replace(/\/+$/, ''),
    // The SDK insists on a key; the header that it would make is taken away below.
    apiKey: options.apiKey ?? 'none',
    defaultHeaders: { ...(options.apiKey === null ? { Authorization: null } : {}), ...options.headers },
    fetch: httpFetch(options.maxConnections),
    maxRetries: 0,
    timeout: NO_TIMEOUT_MS,
    logLevel: 'off',
    // Null, or the SDK takes them from the process's environment, which is the server's to read.
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
  });

  async function text(method: 'get' | 'post', path: string, body: object | undefined, signal: AbortSignal) {
    if (signal.aborted) throw cancelled(signal);
    try {
      const response = await client[method](path, { ...(body === undefined ? {} : { body }), signal }).asResponse();
      return await response.text();
    } catch (error) {
      throw translateError(error, upstream, signal);
    }
  }

  return {
    name,
    generative: true,
    embeddingLimits: options.embeddingLimits ?? openaiEmbeddingLimits,

    async models(signal) {
      return readModels(await text('get', '/models', undefined, signal), upstream);
    },

    async *chat(request, signal) {
      const body = chatBody(request, true, outputLimitField);
      if (signal.aborted) throw cancelled(signal);
      // One of its own, so that leaving the loop closes this socket alone, and a long-lived signal gathers no listeners.
      const socket = new AbortController();
      const abort = () => socket.abort(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      try {
        const call = { body, signal: socket.signal, headers: { Accept: 'text/event-stream' } };
        const response = await client.post('/chat/completions', call).asResponse();
        const stream = await openChatStream(response, upstream);
        try {
          while (await stream.more()) {
            for (const chunk of stream.reader.take()) {
              if (signal.aborted) throw cancelled(signal);
              yield chunk;
            }
          }
          const tokens = stream.reader.end();
          if (tokens !== null) yield { type: 'usage', tokens };
        } finally {
          stream.close();
        }
      } catch (error) {
        throw translateError(error, upstream, signal);
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },

    async complete(request, signal) {
      const body = chatBody(request, false, outputLimitField);
      return readCompletion(await text('post', '/chat/completions', body, signal), upstream);
    },

    async embed(request, signal) {
      const { model, texts, dimensions } = request;
      // An empty call is an error on the wire; nothing asked is nothing spent.
      if (texts.length === 0) return { vectors: [], tokens: 0 };
      const body = {
        model,
        input: texts,
        encoding_format: 'base64',
        ...(dimensions === undefined ? {} : { dimensions }),
      };
      return readEmbeddings(await text('post', '/embeddings', body, signal), texts.length, upstream);
    },
  };
}

function parseBaseUrl(baseUrl: string): URL {
  const url = URL.parse(baseUrl);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '') {
    // Not repeated whole: what is wrong with it may be the password in it.
    const came = url === null ? 'something else' : `one with ${url.protocol}//${url.host}`;
    throw new GatewayError(
      'BAD_INPUT',
      `baseUrl must be an http or https URL without credentials or query, got ${came}`,
    );
  }
  return url;
}

function addressOf(url: URL): string {
  return url.port === '' ? `${url.hostname}:${url.protocol === 'https:' ? 443 : 80}` : url.host;
}
