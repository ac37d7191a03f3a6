import type { IncomingMessage } from 'node:http';
import type { ExecutionArgs, GraphQLError } from 'graphql';
import type { SubscribePayload } from 'graphql-ws';
import type { Principal } from '../../context.ts';
import type { App } from '../app.ts';
import { type ToClientError, withCode } from '../client-errors.ts';
import { PlainRequest } from '../http/plain-request.ts';
import { inOperation } from '../request-scope.ts';
import type { Operation } from '../telemetry/operations/operation.ts';

export type Prepared = ExecutionArgs & {
  readonly runExecute: (args: ExecutionArgs) => unknown;
  readonly runSubscribe: (args: ExecutionArgs) => unknown;
};

interface Parts {
  readonly app: App;
  readonly toClientError: ToClientError;
}

/** What graphql-ws executes, through the plugins of HTTP; or why it cannot be executed. */
export async function prepare(
  { app, toClientError }: Parts,
  { query, variables, operationName, extensions }: SubscribePayload,
  principal: Principal,
  operation: Operation,
  signal: AbortSignal,
): Promise<ExecutionArgs | readonly GraphQLError[]> {
  const { requestId } = operation;
  const request = new PlainRequest(null, signal) as unknown as Request;
  const params = {
    query,
    variables: variables ?? undefined,
    operationName: operationName ?? undefined,
    extensions: extensions ?? undefined,
  };
  const enveloped = app.getEnveloped({ request, params, principal, requestId, ended: null });
  try {
    const document = enveloped.parse(query);
    const errors: readonly GraphQLError[] = enveloped.validate(enveloped.schema, document);
    if (errors.length > 0) return errors.map(withCode);
    const prepared: Prepared = {
      schema: enveloped.schema,
      document,
      contextValue: await enveloped.contextFactory(),
      variableValues: variables,
      operationName,
      runExecute: (args) => inOperation(operation, () => enveloped.execute(args)),
      runSubscribe: (args) => inOperation(operation, () => enveloped.subscribe(args)),
    };
    return prepared;
  } catch (error) {
    return [toClientError(error)];
  }
}

/** Of the operation where its client says so, else of the socket's own request. */
export function traceparentIn({ extensions }: SubscribePayload, request: IncomingMessage): unknown {
  return extensions?.['traceparent'] ?? request.headers['traceparent'];
}
