import OpenAI, { APIError } from 'openai';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { EmbeddingLimits, HearRates, ModelProvider } from '../../core/contracts/model-provider.ts';
import { chatBody, type OutputLimitField } from './chat-body.ts';
import { createChatPost } from './chat-post.ts';
import { openChatStream } from './chat-stream.ts';
import { readCompletion } from './completion.ts';
import { readEmbeddings } from './embeddings.ts';
import { httpDoor } from './http-door.ts';
import { readModels } from './model-list.ts';
import { type HeaderSource, reportedRates } from './reported-rates.ts';
import { cancelled, translateError } from './translate-error.ts';
import type { Upstream } from './upstream.ts';

export interface OpenaiProviderOptions {
  /** Default `openai`. */
  readonly name?: string;
  /** Up to and without the slash before `/chat/completions`. */
  readonly baseUrl: string;
  /** Null: no key is sent, as local servers have it. */
  readonly apiKey: string | null;
  /** Carries the bare key in place of `Authorization: Bearer`; Azure's is `api-key`. */
  readonly keyHeader?: string;
  /** Added to every address, such as Azure's `api-version`. */
  readonly query?: Readonly<Record<string, string>>;
  /** More headers for every call, such as `OpenAI-Organization` or a proxy's own; their values are kept out of messages too. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Headers of the call that is about to be made, such as its trace. */
  readonly callHeaders?: () => Readonly<Record<string, string>>;
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
  const door = httpDoor(url.origin, { maxSockets: options.maxConnections, callHeaders: options.callHeaders });
  const client = new OpenAI({
    baseURL: options.baseUrl.replace(/\/+$/, ''),
    // The SDK insists on a key; the header that it would make is taken away below.
    apiKey: options.apiKey ?? 'none',
    defaultHeaders: { ...keyHeaders(options), ...options.headers },
    defaultQuery: { ...options.query },
    fetch: door.fetch,
    maxRetries: 0,
    timeout: NO_TIMEOUT_MS,
    logLevel: 'off',
    // Null, or the SDK takes them from the process's environment, which is the server's to read.
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
  });

  const postChat = createChatPost(door, {
    url: addressWith(options.baseUrl, '/chat/completions', options.query),
    headers: { Authorization: `Bearer ${options.apiKey}`, ...keyHeaders(options), ...options.headers },
  });

  async function post(path: string, body: object, signal: AbortSignal, hear?: HearRates): Promise<string> {
    if (signal.aborted) throw cancelled(signal);
    try {
      const response = await heard(client.post(path, { body, signal }).asResponse(), hear);
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
      if (signal.aborted) throw cancelled(signal);
      try {
        const response = await client.get('/models', { signal }).asResponse();
        return readModels(await response.text(), upstream);
      } catch (error) {
        throw translateError(error, upstream, signal);
      }
    },

    async *chat(request, signal, hear) {
      const body = chatBody(request, true, outputLimitField);
      if (signal.aborted) throw cancelled(signal);
      try {
        const reply = await postChat(body, signal);
        tell(reply, hear);
        const stream = await openChatStream(reply, upstream);
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
        tellRefused(error, hear);
        throw translateError(error, upstream, signal);
      }
    },

    async complete(request, signal, hear) {
      const body = chatBody(request, false, outputLimitField);
      return readCompletion(await post('/chat/completions', body, signal, hear), upstream);
    },

    async embed(request, signal, hear) {
      const { model, texts, dimensions } = request;
      // An empty call is an error on the wire; nothing asked is nothing spent.
      if (texts.length === 0) return { vectors: [], tokens: 0 };
      const body = {
        model,
        input: texts,
        encoding_format: 'base64',
        ...(dimensions === undefined ? {} : { dimensions }),
      };
      return readEmbeddings(await post('/embeddings', body, signal, hear), texts.length, upstream);
    },
  };
}

/** The SDK's own header is taken away where the key goes elsewhere, or there is none. */
function keyHeaders({ apiKey, keyHeader }: OpenaiProviderOptions): Record<string, string | null> {
  if (apiKey === null) return { Authorization: null };
  return keyHeader === undefined ? {} : { Authorization: null, [keyHeader]: apiKey };
}

/** The response, after its headers, or those of its refusal, were read for the provider's limits. */
async function heard(response: Promise<Response>, hear: HearRates | undefined): Promise<Response> {
  try {
    const answered = await response;
    tell(answered.headers, hear);
    return answered;
  } catch (error) {
    tellRefused(error, hear);
    throw error;
  }
}

function tellRefused(error: unknown, hear: HearRates | undefined): void {
  if (error instanceof APIError && error.headers !== undefined) tell(error.headers, hear);
}

function addressWith(baseUrl: string, path: string, query: OpenaiProviderOptions['query']): URL {
  const url = new URL(baseUrl.replace(/\/+$/, '') + path);
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
  return url;
}

function tell(headers: HeaderSource, hear: HearRates | undefined): void {
  const rates = hear === undefined ? null : reportedRates(headers);
  if (rates !== null) hear?.(rates);
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
