import type { Logger } from '../../core/contracts/logger.ts';
import type { ToolProvider } from '../../core/contracts/tool.ts';
import type { ComponentHealth } from '../../core/health.ts';
import type { Config } from '../config/config-schema.ts';
import { mcpServerOptions } from '../config/mcp-servers.ts';
import { realClock } from '../real-clock.ts';
import { version } from '../version.ts';

export interface OpenMcpServers {
  /** One for each server. */
  readonly providers: readonly ToolProvider[];
  health(): readonly ComponentHealth[];
  close(): Promise<void>;
}

/** Begins to connect to every MCP server of the configuration; the gateway does not wait for any of them. */
export async function openMcpServers({ mcpServers }: Config, logger: Logger): Promise<OpenMcpServers> {
  const configured = Object.entries(mcpServers);
  if (configured.length === 0) return { providers: [], health: () => [], close: async () => {} };
  // The protocol's SDK is of no use to a gateway without servers.
  const { McpServer } = await import('../../adapters/mcp/mcp-server.ts');
  const servers = configured.map(
    ([name, options]) => new McpServer(mcpServerOptions(name, options), { logger, clock: realClock, version }),
  );
  return {
    providers: servers,
    health: () => servers.map((server) => server.health()),
    async close() {
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    },
  };
}
