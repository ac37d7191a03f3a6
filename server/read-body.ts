import type { IncomingMessage } from 'node:http';

/** Whether the announced length is within the bound; a chunked body is not announced. */
export function announcesAtMost(request: IncomingMessage, maxBytes: number): boolean {
  return Number(request.headers['content-length'] ?? 0) <= maxBytes;
}

/** A body, announced or chunked, read up to the bound; null when there is more. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
