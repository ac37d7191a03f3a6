import { GraphQLError } from 'graphql';
import { GatewayError, isErrorCode } from '../core/contracts/gateway-error.ts';
import type { Logger } from '../core/contracts/logger.ts';
import { currentOperation, requestScope } from './request-scope.ts';

/** What a client is told of an error, and what is logged instead of telling it. */
export type ToClientError = (error: unknown) => GraphQLError;

export function createToClientError(logger: Logger): ToClientError {
  return (error) => {
    const clientError = toClientError(error);
    currentOperation()?.failedWith([clientError]);
    return clientError;
  };

  function toClientError(error: unknown): GraphQLError {
    const graphqlError = error instanceof GraphQLError ? error : null;
    const cause = graphqlError?.originalError ?? (graphqlError ? null : error);
    const place = graphqlError ? { nodes: graphqlError.nodes, path: graphqlError.path } : {};
    if (cause === null || cause === undefined) return graphqlError ? withCode(graphqlError) : masked(error, place);
    if (isTooDeep(cause)) {
      logger.warn({ error: cause }, 'what a client sent is nested deeper than the stack');
      return told(new GatewayError('BAD_INPUT', 'The operation or its variables are nested too deep.'), place);
    }
    const gatewayError = gatewayErrorIn(cause);
    if (gatewayError?.code === 'INTERNAL') return masked(cause, place, gatewayError.retryable);
    if (gatewayError !== null) return told(gatewayError, place);
    if (cause instanceof GraphQLError) return withCode(cause);
    return masked(cause, place);
  }

  function masked(error: unknown, place: object, retryable = false): GraphQLError {
    const requestId = requestScope.getStore()?.requestId ?? null;
    logger.error({ requestId, error }, 'an operation failed for a reason of ours');
    return new GraphQLError('Internal error: the gateway log has it under extensions.requestId.', {
      ...place,
      extensions: { code: 'INTERNAL', retryable, requestId },
    });
  }
}

function told({ message, code, retryable, details }: GatewayError, place: object): GraphQLError {
  return new GraphQLError(message, { ...place, extensions: { code, retryable, ...details } });
}

/** GraphQL coerces input objects by recursion, before anything of ours could bound them; all else that recurses here is bounded. */
function isTooDeep(cause: unknown): boolean {
  return cause instanceof RangeError && cause.message.startsWith('Maximum call stack size');
}

/** An abort surfaces as the signal's reason: ours, or the DOMException of a closed connection. */
function gatewayErrorIn(cause: unknown): GatewayError | null {
  if (cause instanceof GatewayError) return cause;
  if (cause instanceof Error && cause.name === 'AbortError')
    return new GatewayError('CANCELLED', 'The operation was cancelled.');
  return null;
}

/** GraphQL's own errors — syntax, validation, variables — are bad input of the request. */
export function withCode(error: GraphQLError): GraphQLError {
  const { code, ...rest } = error.extensions;
  if (isErrorCode(code)) return error;
  return new GraphQLError(error.message, {
    nodes: error.nodes,
    source: error.source,
    positions: error.positions,
    path: error.path,
    extensions: { ...rest, code: 'BAD_INPUT', retryable: false },
  });
}
