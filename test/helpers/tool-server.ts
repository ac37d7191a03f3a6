import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createMcpHandler, type McpHttpHandler, McpServer } from '@modelcontextprotocol/server';

export interface ToolServer extends AsyncDisposable {
  readonly at: { readonly type: 'http'; readonly url: string; readonly headers: Readonly<Record<string, string>> };
  readonly handler: McpHttpHandler;
}

/** A server of the protocol's newest revision, whose tools are what `register` says at each request. */
export async function startToolServer(register: (server: McpServer) => void): Promise<ToolServer> {
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'test', version: '1' }, { capabilities: { tools: { listChanged: true } } });
    register(server);
    return server;
  });
  const http = createServer(async (request, response) => {
    const left = new AbortController();
    response.once('close', () => left.abort());
    const body = request.method === 'POST' ? { body: await buffer(request) } : {};
    const answer = await handler.fetch(
      new Request(`http://test${request.url}`, {
        method: request.method ?? 'GET',
        headers: request.headers as Record<string, string>,
        signal: left.signal,
        ...body,
      }),
    );
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    if (answer.body === null) response.end();
    // A client that was killed ends what it listened to: else its timer would keep this process alive.
    else pipeline(Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]), response, () => {});
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo; // it listens on a port
  return {
    at: { type: 'http', url: `http://127.0.0.1:${port}/mcp`, headers: {} },
    handler,
    async [Symbol.asyncDispose]() {
      await handler.close();
      http.closeAllConnections();
      http.close();
    },
  };
}
