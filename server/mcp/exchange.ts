import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { answer } from '../http/answers.ts';

/** A request whose origin, caller and size are settled. */
export interface McpRequest {
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Its head as the SDK reads it, which is given the body parsed. `signal` fires when the client has gone. */
export function webRequest({ headers }: McpRequest, signal: AbortSignal): Request {
  const pairs = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
  );
  return new Request('http://gateway/mcp', { method: 'POST', headers: pairs, signal });
}

/** Sends what the SDK answers, as fast as the client reads it. */
export async function sendWebResponse(given: Response, response: ServerResponse, signal: AbortSignal): Promise<void> {
  given.headers.forEach((value, name) => {
    response.setHeader(name, value);
  });
  response.setHeader('X-Accel-Buffering', 'no');
  response.writeHead(given.status);
  // Before the first event: the client may wait for the headers.
  response.flushHeaders();
  if (given.body !== null) {
    for await (const chunk of given.body) {
      if (signal.aborted) return;
      if (!response.write(chunk)) await once(response, 'drain', { signal });
    }
  }
  response.end();
}

/** What is no message at all has no id that an answer could carry. */
export function refuseMessage(response: ServerResponse, message: string): void {
  answer(response, 400, { jsonrpc: '2.0', error: { code: -32_600, message }, id: null });
}
