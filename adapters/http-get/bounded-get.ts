import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import { notPublic } from './checked-lookup.ts';
import { isPublicAddress } from './public-address.ts';

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  /** Null: it is no redirect. */
  readonly location: string | null;
  readonly body: Buffer;
  /** There was more than the bound. */
  readonly isCut: boolean;
}

export interface GetBounds {
  /** Of the body as it is unpacked. */
  readonly maxBytes: number;
  readonly lookup: LookupFunction;
  readonly signal: AbortSignal;
}

const redirects = new Set([301, 302, 303, 307, 308]);
const headers = {
  accept: 'text/html, text/plain, text/*;q=0.9, application/json;q=0.9, application/xml;q=0.8, */*;q=0.1',
  'accept-encoding': 'gzip, deflate, br',
  'user-agent': 'sluice (http_get)',
};

/** One GET on a connection of its own, without cookies, credentials or a proxy. Redirects are answers like others here. */
export async function boundedGet(url: URL, { maxBytes, lookup, signal }: GetBounds): Promise<Answer> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // A socket looks up names only.
  if (isIP(host) !== 0 && !isPublicAddress(host)) throw notPublic(url.hostname);
  const secure = url.protocol === 'https:';
  const request = (secure ? https : http).get(url, { agent: false, lookup, signal, headers, maxHeaderSize: 32_768 });
  try {
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const status = response.statusCode ?? 0;
    const location = redirects.has(status) ? (response.headers.location ?? null) : null;
    const contentType = response.headers['content-type'] ?? '';
    if (location !== null) return { status, contentType, location, body: Buffer.alloc(0), isCut: false };
    return { status, contentType, location, ...(await bodyOf(response, maxBytes)) };
  } catch (error) {
    signal.throwIfAborted();
    throw translated(error, url);
  } finally {
    // Whatever is left of the answer is not waited for.
    request.destroy();
  }
}

async function bodyOf(response: IncomingMessage, maxBytes: number): Promise<Pick<Answer, 'body' | 'isCut'>> {
  const stream = unpacked(response);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    bytes += chunk.length;
    // A small answer may unpack to a very large one: it is stopped here, not measured.
    if (bytes > maxBytes) return { body: Buffer.concat(chunks).subarray(0, maxBytes), isCut: true };
  }
  return { body: Buffer.concat(chunks), isCut: false };
}

function unpacked(response: IncomingMessage): Readable {
  const encoding = response.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  const unpack = { gzip: createGunzip, 'x-gzip': createGunzip, deflate: createInflate, br: createBrotliDecompress }[
    encoding
  ];
  if (encoding === 'identity') return response;
  if (unpack === undefined) {
    throw new GatewayError('BAD_INPUT', `It is packed as ${encoding.slice(0, 40)}, which http_get cannot unpack.`);
  }
  const stream = unpack();
  response.once('error', (error) => stream.destroy(error));
  return response.pipe(stream);
}

function translated(error: unknown, { host }: URL): unknown {
  if (error instanceof GatewayError || !(error instanceof Error)) return error;
  const code = 'code' in error ? String(error.code) : error.name;
  return new GatewayError('UPSTREAM_UNAVAILABLE', `${host} could not be read: ${code}.`, {
    retryable: true,
    cause: error,
  });
}
