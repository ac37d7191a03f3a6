import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** Something that browsers load: made and compressed once, and not sent again to who has it. */
export interface Page {
  readonly type: string;
  readonly etag: string;
  readonly compressed: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** The bodies of pages change with the gateway's version only, so a browser asks each time and is mostly told 304. */
export async function makePage(
  type: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Page> {
  const compressed = await promisify(gzip)(body, { level: 6 });
  const etag = `"${createHash('sha256').update(compressed).digest('base64url').slice(0, 22)}"`;
  return { type, etag, compressed, headers };
}

export function sendPage(
  { type, etag, compressed, headers }: Page,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  response.setHeader('ETag', etag);
  response.setHeader('Cache-Control', 'no-cache');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end();
    return;
  }
  response.setHeader('Content-Type', `${type}; charset=utf-8`);
  response.setHeader('Content-Encoding', 'gzip');
  response.writeHead(200).end(request.method === 'HEAD' ? undefined : compressed);
}
