import { schema } from '../../../schema/index.ts';
import type { App } from '../../app.ts';
import { ConfigError } from '../../config/config.ts';
import type { Config } from '../../config/config-schema.ts';
import type { McpTool } from '../mcp-tool.ts';
import { operationTool } from './operation-tool.ts';
import { readOperation } from './read-operation.ts';

/** The operations of the configuration as tools; a ConfigError with the faults of all of them where the schema does not take one. */
export function operationTools({ mcp: { operations } }: Pick<Config, 'mcp'>, app: App): McpTool[] {
  const faults: string[] = [];
  const tools = Object.entries(operations).flatMap(([name, configured]) => {
    const read = readOperation(schema, configured.document);
    if ('operation' in read) return [operationTool(name, configured, read, schema, app)];
    faults.push(...read.map((fault) => `mcp.operations.${name}.document: ${fault}`));
    return [];
  });
  if (faults.length > 0) throw new ConfigError(faults);
  return tools;
}
