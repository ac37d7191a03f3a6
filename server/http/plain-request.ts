import type { IncomingMessage } from 'node:http';
import { graphqlPath, graphqlSsePath } from '../app.ts';
import { reportHeader } from '../telemetry/report/report-plugin.ts';

/** How a request without any extras wants its answer: as one result in JSON, or as server-sent events. */
export type PlainAccept = 'application/json' | 'text/event-stream';

const parameterNames: readonly string[] = ['query', 'variables', 'operationName', 'extensions'];

/** Null: not the request that nearly every app sends, one operation in JSON, and Yoga's to answer. */
export function plainAccept({ method, url, headers }: IncomingMessage): PlainAccept | null {
  const isPlain =
    method === 'POST' &&
    headers['transfer-encoding'] === undefined &&
    headers['content-encoding'] === undefined &&
    headers[reportHeader] === undefined &&
    /^application\/json(?: *; *charset=utf-8)?$/i.test(headers['content-type'] ?? '');
  if (!isPlain) return null;
  const { accept } = headers;
  if (accept === 'application/json' && url === graphqlPath) return accept;
  if (accept === 'text/event-stream' && (url === graphqlPath || url === graphqlSsePath)) return accept;
  return null;
}

/** What hooks ask a request for, and no more: one of WHATWG's own costs as much as the whole execution of a short operation. */
export class PlainRequest implements Pick<Request, 'method' | 'url' | 'headers' | 'signal'> {
  readonly method = 'POST';
  readonly url = `http://gateway${graphqlPath}`;
  readonly headers: Headers;
  readonly signal: AbortSignal;

  /** `accept` null: of a transport where nothing is said of it. */
  constructor(accept: PlainAccept | null, signal: AbortSignal) {
    this.headers = accept === null ? noHeaders : plainHeaders[accept];
    this.signal = signal;
  }
}

const noHeaders = new Headers();

/** The headers that every plain request has, as far as they matter to a hook. */
const plainHeaders: Readonly<Record<PlainAccept, Headers>> = {
  'application/json': headersFor('application/json'),
  'text/event-stream': headersFor('text/event-stream'),
};

function headersFor(accept: PlainAccept): Headers {
  return new Headers({ accept, 'content-type': 'application/json' });
}

export interface PlainParameters extends Record<string, unknown> {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string;
  readonly extensions?: Record<string, unknown>;
}

/** Null for everything that Yoga might refuse. */
export function parametersIn(body: Buffer): PlainParameters | null {
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
    (variables == null || isObject(variables)) &&
    (operationName == null || typeof operationName === 'string') &&
    (extensions == null || isObject(extensions));
  return isPlain ? (params as PlainParameters) : null;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
