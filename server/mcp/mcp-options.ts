import type { App } from '../app.ts';
import type { Config } from '../config/config-schema.ts';
import type { McpOptions } from './mcp.ts';
import { operationTools } from './operations/operation-tools.ts';
import { askTool } from './tools/ask.ts';
import { ingestTool } from './tools/ingest.ts';
import { researchTool } from './tools/research.ts';
import { searchTool } from './tools/search.ts';

/** What is served at /mcp, as configured. */
export function mcpOptions(config: Config, app: App): McpOptions {
  const { tools, whenUnwatched } = config.mcp;
  const known = [searchTool, askTool(whenUnwatched), researchTool(whenUnwatched), ingestTool];
  return {
    tools: [...known.filter(({ name }) => (tools as readonly string[]).includes(name)), ...operationTools(config, app)],
    whenUnwatched,
    maxBodyBytes: config.limits.maxBodyBytes,
  };
}
