import type { IncomingMessage, ServerResponse } from 'node:http';

/** For an origin that is allowed already. No credentials: the key travels in a header that the app sets itself. */
export function setCors({ headers, method }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Vary', 'Origin');
  if (headers.origin === undefined) return;
  response.setHeader('Access-Control-Allow-Origin', headers.origin);
  response.setHeader('Access-Control-Expose-Headers', 'X-Request-Id, Mcp-Session-Id');
  if (method !== 'OPTIONS') return;
  response.setHeader('Access-Control-Allow-Methods', 'GET, POST, OPTIONS');
  response.setHeader('Access-Control-Allow-Headers', headers['access-control-request-headers'] ?? 'content-type');
  response.setHeader('Access-Control-Max-Age', '600');
}
