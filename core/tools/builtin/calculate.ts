import type { Tool } from '../../contracts/tool.ts';
import { evaluate, functionNames } from './expression.ts';

/** Arithmetic: what models are bad at, and what needs nobody's permission. */
export const calculate: Tool = {
  name: 'calculate',
  description: `Computes an arithmetic expression exactly. Numbers, + - * / % (remainder) ^ (power), parentheses, pi, e, and ${functionNames.join(', ')}. Angles are in radians.`,
  parameters: {
    type: 'object',
    properties: {
      expression: { type: 'string', minLength: 1, maxLength: 1_000, description: 'Such as (1299 * 1.19) / 12' },
    },
    required: ['expression'],
    additionalProperties: false,
  },
  requiresApproval: false,
  source: 'BUILTIN',
  changesWorld: false,
  timeoutMs: 1_000,
  resultSchema: null,
  call: async ({ expression }) => ({ value: { result: evaluate(String(expression)) } }),
};
