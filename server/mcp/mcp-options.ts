import type { Config } from '../config-schema.ts';
import type { McpOptions } from './mcp.ts';
import { askTool } from './tools/ask.ts';
import { ingestTool } from './tools/ingest.ts';
import { researchTool } from './tools/research.ts';
import { searchTool } from './tools/search.ts';

/** What is served at /mcp, as configured. */
export function mcpOptions({ mcp: { tools, whenUnwatched }, limits }: Config): McpOptions {
  const known = [searchTool, askTool(whenUnwatched), researchTool(whenUnwatched), ingestTool];
  return {
    tools: known.filter(({ name }) => (tools as readonly string[]).includes(name)),
    whenUnwatched,
    maxBodyBytes: limits.maxBodyBytes,
  };
}
