import type { IncomingMessage } from 'node:http';

/** Whether the announced length is within the bound; a chunked body is not announced. */
export function announcesAtMost(request: IncomingMessage, maxBytes: number): boolean {
  return Number(request.headers['content-length'] ?? 0) <= maxBytes;
}

/** A body, announced or chunked, read up to the bound; null when there is more. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  // Listens rather than iterates: an iterator over a stream costs more than all else that is done with a short body.
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const hear = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else resolve(null);
    };
    const end = (): void => {
      // The request lives as long as its answer is waited for, and would hold the body, be it by a promise that its listeners settle.
      request.off('data', hear).off('end', end).off('error', reject).on('error', ignore);
      resolve(chunks.length === 1 ? (chunks[0] ?? null) : Buffer.concat(chunks));
    };
    request.on('data', hear);
    request.on('end', end);
    request.on('error', reject);
  });
}

/** Of a request that was read to its end: its answer will find the connection closed. */
function ignore(): void {}
