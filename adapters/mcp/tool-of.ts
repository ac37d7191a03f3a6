import type { JsonSchema, Tool } from '../../core/contracts/tool.ts';
import type { McpServerOptions } from './server-options.ts';
import type { ListedTool } from './session.ts';
import { toolName } from './tool-name.ts';

const longestDescription = 4_000;
const maxSchemaBytes = 64 * 1024;

/** A listed tool as the gateway's; a text: why it cannot be one. */
export function toolOf(listed: ListedTool, options: McpServerOptions, call: Tool['call']): Tool | string {
  const { name, description, title, inputSchema, outputSchema, annotations = {}, execution } = listed;
  if (execution?.taskSupport === 'required') return 'it runs as a task only';
  if (schemaBytes(inputSchema) + schemaBytes(outputSchema) > maxSchemaBytes)
    return `its schemas are larger than ${maxSchemaBytes} bytes`;
  const readsOnly = annotations.readOnlyHint === true;
  return {
    name: toolName(options.name, name),
    description: (description ?? title ?? annotations.title ?? name).slice(0, longestDescription),
    parameters: inputSchema as JsonSchema,
    requiresApproval: needsApproval(options.requiresApproval, name, readsOnly),
    source: 'MCP',
    changesWorld: !readsOnly && annotations.idempotentHint !== true,
    timeoutMs: options.timeoutMs,
    resultSchema: outputSchema === undefined ? null : (outputSchema as JsonSchema),
    call,
  };
}

/** A server is foreign: what it does not call reading may change the world. */
function needsApproval(rule: McpServerOptions['requiresApproval'], name: string, readsOnly: boolean): boolean {
  if (rule === null) return !readsOnly;
  return typeof rule === 'boolean' ? rule : rule.includes(name);
}

function schemaBytes(schema: unknown): number {
  return schema === undefined ? 0 : Buffer.byteLength(JSON.stringify(schema));
}
