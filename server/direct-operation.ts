import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';
import type { GraphQLParams } from 'graphql-yoga';
import { type App, graphqlPath, type ServerContext } from './app.ts';
import { reportHeader } from './telemetry/report/report-plugin.ts';

const parameterNames: readonly string[] = ['query', 'variables', 'operationName', 'extensions'];
/** Results of several parts, or what may be one: Yoga's to send. */
const severalParts = /@defer|@stream|subscription/;

/** Whether this is the request that nearly every app sends: one operation in JSON, and one result in JSON wanted. */
export function isPlainOperation({ method, url, headers }: IncomingMessage): boolean {
  return (
    method === 'POST' &&
    url === graphqlPath &&
    headers['transfer-encoding'] === undefined &&
    headers['content-encoding'] === undefined &&
    headers[reportHeader] === undefined &&
    /^application\/json(?: *; *charset=utf-8)?$/i.test(headers['content-type'] ?? '') &&
    headers.accept === 'application/json'
  );
}

/**
 * Answers a plain operation through the same hooks as any other, without the layer of WHATWG requests, responses and streams
 * around it, which costs more than the GraphQL in between. False, and nothing was done: Yoga is to answer, with what it says to
 * parameters that are malformed, to an operation that is not valid, and to whatever else was not executed.
 */
export async function answerDirectly(
  app: App,
  body: Buffer,
  response: ServerResponse,
  context: ServerContext,
): Promise<boolean> {
  const params = parametersIn(body);
  if (params === null) return false;
  const left = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) left.abort(new DOMException('The client closed the connection.', 'AbortError'));
  });
  const request = new PlainRequest(left.signal) as unknown as Request; // what hooks ask a request for, and no more
  const result = await app.getResultForParams({ params, request }, { ...context });
  if (!isExecuted(result)) return false;
  const text = JSON.stringify(result);
  response.writeHead(200, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
  return true;
}

/** The headers that every plain operation has, as far as they matter to a hook. */
const plainHeaders = new Headers({ accept: 'application/json', 'content-type': 'application/json' });

/** One of WHATWG's own costs as much as the whole execution of a short operation. */
class PlainRequest implements Pick<Request, 'method' | 'url' | 'headers' | 'signal'> {
  readonly method = 'POST';
  readonly url = `http://gateway${graphqlPath}`;
  readonly headers = plainHeaders;
  readonly signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }
}

/** Null for everything that Yoga might refuse. */
function parametersIn(body: Buffer): GraphQLParams | null {
  let params: unknown;
  try {
    params = JSON.parse(body.toString());
  } catch {
    return null;
  }
  if (!isObject(params)) return null;
  const { query, variables, operationName, extensions } = params;
  const isPlain =
    Object.keys(params).every((name) => parameterNames.includes(name)) &&
    typeof query === 'string' &&
    !severalParts.test(query) &&
    (variables == null || isObject(variables)) &&
    (operationName == null || typeof operationName === 'string') &&
    (extensions == null || isObject(extensions));
  return isPlain ? (params as GraphQLParams) : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What has no data was refused before anything was executed, and has a status of its own. */
function isExecuted(result: unknown): result is ExecutionResult {
  return isObject(result) && result['data'] !== undefined;
}
