import type { ToolCallRecord } from '../core/contracts/run-event.ts';
import { builder } from './builder.ts';

export const ToolCallStatusRef = builder.enumType('ToolCallStatus', {
  description: 'AWAITING_APPROVAL: a person must resolve it. REJECTED: a person did, with no.',
  values: ['PENDING', 'AWAITING_APPROVAL', 'RUNNING', 'SUCCEEDED', 'FAILED', 'REJECTED'] as const,
});

export const ToolCallRef = builder.objectRef<ToolCallRecord>('ToolCall');
ToolCallRef.implement({
  description: 'A model asked for a tool.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Unique within its run.' }),
    tool: t.exposeString('tool'),
    arguments: t.field({ type: 'JSON', resolve: (call) => call.arguments }),
    result: t.field({
      type: 'JSON',
      nullable: true,
      description: 'Null until there is one. Of a failed or rejected call: what the model was told.',
      resolve: (call) => call.result,
    }),
    status: t.field({ type: ToolCallStatusRef, resolve: (call) => call.status }),
  }),
});
