import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
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
