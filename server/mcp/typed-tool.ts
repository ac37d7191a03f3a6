import { z } from 'zod';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { JsonSchema } from '../../core/contracts/tool.ts';
import type { McpTool, TypedTool } from './mcp-tool.ts';

/** The tool with its JSON Schemas, which admits the caller and reads the arguments before it runs. */
export function typedTool<Input extends z.ZodType>({ input, output, run, ...described }: TypedTool<Input>): McpTool {
  return {
    ...described,
    inputSchema: jsonSchema(input, 'input'),
    outputSchema: jsonSchema(output, 'output'),
    async call(args, call) {
      const { services, principal } = call.context;
      await services.admit(principal);
      return run(read(input, args, described.name), call);
    },
  };
}

function read<Input extends z.ZodType>(input: Input, args: unknown, tool: string): z.output<Input> {
  const parsed = input.safeParse(args ?? {});
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(
    ({ path, message }) => `${path.map(String).join('.') || 'arguments'}: ${message}`,
  );
  throw new GatewayError('BAD_INPUT', `The arguments of ${tool} are not right. ${faults.slice(0, 10).join('; ')}.`);
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  return z.toJSONSchema(schema, { io, target: 'draft-2020-12' });
}
