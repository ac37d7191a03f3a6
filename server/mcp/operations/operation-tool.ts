import type { ExecutionResult, GraphQLSchema } from 'graphql';
import { print } from 'graphql';
import { GatewayError } from '../../../core/contracts/gateway-error.ts';
import { type App, graphqlPath } from '../../app.ts';
import type { ConfiguredOperation } from '../../config/mcp.ts';
import type { McpTool } from '../mcp-tool.ts';
import { inputSchema } from './input-schema.ts';
import { outputSchema } from './output-schema.ts';
import type { ReadOperation } from './read-operation.ts';

/**
 * An operation of the configuration as a tool. It is executed as any request of the caller's: admitted, authorised field by field,
 * bounded, reported; its variables are checked there too.
 */
export function operationTool(
  name: string,
  { title, description }: ConfiguredOperation,
  { document, operation }: ReadOperation,
  schema: GraphQLSchema,
  app: App,
): McpTool {
  const query = print(document);
  const readOnlyHint = operation.operation === 'query';
  return {
    name,
    title: title ?? operation.name?.value ?? name,
    description,
    scopes: null,
    inputSchema: inputSchema(schema, operation),
    outputSchema: outputSchema(schema, document, operation),
    annotations: { readOnlyHint, destructiveHint: !readOnlyHint, idempotentHint: readOnlyHint, openWorldHint: false },
    async call(args, { server, context }) {
      const init = { method: 'POST', headers: { accept: 'application/json' }, signal: context.signal };
      const request = new app.fetchAPI.Request(`http://gateway${graphqlPath}`, init);
      const params = { query, variables: (args ?? {}) as Record<string, unknown> };
      const result = await app.getResultForParams({ params, request }, { ...server });
      const { data, errors } = plain(result);
      if (errors !== undefined && errors.length > 0) {
        // What came in spite of them is worth reading too.
        const text = JSON.stringify({ errors, ...(data == null ? {} : { data }) });
        return { structured: data ?? {}, text, isError: true };
      }
      if (data == null) throw new GatewayError('INTERNAL', `the operation ${name} came to nothing`);
      return { structured: data, text: JSON.stringify(data) };
    },
  };
}

/** As it goes over the wire. The operation has one part, so there is one result. */
function plain(result: unknown): Pick<ExecutionResult, 'data' | 'errors'> {
  return JSON.parse(JSON.stringify(result));
}
