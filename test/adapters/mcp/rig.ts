import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { createMcpHandler, type McpHttpHandler, McpServer as ModernServer } from '@modelcontextprotocol/server';
import { vi } from 'vitest';
import { McpServer } from '../../../adapters/mcp/mcp-server.ts';
import type { McpAddress, McpServerOptions } from '../../../adapters/mcp/server-options.ts';
import type { LogFields, Logger } from '../../../core/contracts/logger.ts';
import type { Tool, ToolIo } from '../../../core/contracts/tool.ts';
import { realClock } from '../../../server/real-clock.ts';

/** The reference server of the protocol's authors. */
export const everything = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'));

/** Writes the id of its process to a file before it becomes the server. */
export function overStdio(pidFile: string, env: Readonly<Record<string, string>> = {}): McpAddress {
  const script = 'echo $$ > "$0"; exec "$@"';
  return { type: 'stdio', command: 'sh', args: ['-c', script, pidFile, process.execPath, everything], env, cwd: null };
}

export interface Connected extends AsyncDisposable {
  readonly server: McpServer;
  readonly lines: readonly (LogFields & { readonly message: string })[];
  /** As soon as it is listed. */
  tool(name: string): Promise<Tool>;
}

export function connect(at: McpAddress, options: Partial<McpServerOptions> = {}): Connected {
  const lines: (LogFields & { readonly message: string })[] = [];
  const line = (fields: LogFields, message: string): void => void lines.push({ ...fields, message });
  const logger: Logger = { debug: line, info: line, warn: line, error: line, child: () => logger };
  const server = new McpServer(
    {
      ...{ name: 'everything', at, allowedTools: null, requiresApproval: null },
      ...{ timeoutMs: 20_000, connectTimeoutMs: 30_000, maxResultBytes: 256 * 1024 },
      ...options,
    },
    { logger, clock: realClock, version: 'test' },
  );
  return {
    server,
    lines,
    tool: (name) =>
      vi.waitFor(() => {
        const found = server.tools().find((tool) => tool.name === name);
        if (found === undefined) throw new Error(`there is no tool ${name}: ${JSON.stringify(lines)}`);
        return found;
      }, 30_000),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

export function toolIo(signal: AbortSignal = new AbortController().signal): ToolIo {
  return {
    ...{ tenant: 'default', keyId: null, runId: randomUUID(), idempotencyKey: randomUUID() },
    ...{ signal, spend: () => {} },
  };
}

export interface ToolServer extends AsyncDisposable {
  readonly at: McpAddress;
  readonly handler: McpHttpHandler;
}

/** A server of the protocol's newest revision, whose tools are what `register` says at each request. */
export async function startToolServer(register: (server: ModernServer) => void): Promise<ToolServer> {
  const handler = createMcpHandler(() => {
    const server = new ModernServer({ name: 'test', version: '1' }, { capabilities: { tools: { listChanged: true } } });
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
    else
      Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0])
        .on('error', () => {})
        .pipe(response);
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
