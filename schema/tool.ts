import type { ToolDescription } from '../core/contracts/tool.ts';
import { builder } from './builder.ts';

export const ToolSourceRef = builder.enumType('ToolSource', {
  description: 'CLIENT: declared in the input and run by the app, which answers with submitToolResult.',
  values: ['BUILTIN', 'MCP', 'CLIENT'] as const,
});

export const ToolRef = builder.objectRef<ToolDescription>('Tool');
ToolRef.implement({
  description: 'What a model may ask for.',
  fields: (t) => ({
    name: t.exposeString('name'),
    description: t.exposeString('description'),
    parameters: t.field({ type: 'JSON', description: 'A JSON Schema.', resolve: (tool) => tool.parameters }),
    requiresApproval: t.exposeBoolean('requiresApproval', { description: 'A person must allow each call.' }),
    source: t.field({ type: ToolSourceRef, resolve: (tool) => tool.source }),
  }),
});
