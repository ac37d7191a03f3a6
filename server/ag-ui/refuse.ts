import type { ServerResponse } from 'node:http';
import type { GraphQLError } from 'graphql';
import type { ErrorCode } from '../../core/contracts/gateway-error.ts';

const statuses: Readonly<Record<ErrorCode, number>> = {
  BAD_INPUT: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  RATE_LIMITED: 429,
  BUDGET_EXCEEDED: 429,
  QUERY_TOO_COMPLEX: 400,
  UPSTREAM_TIMEOUT: 504,
  UPSTREAM_UNAVAILABLE: 503,
  UPSTREAM_REJECTED: 502,
  CANCELLED: 503,
  INTERNAL: 500,
};

/** Answers with an error that came before the stream, in the shape that GraphQL has. */
export function refuseRun(response: ServerResponse, error: GraphQLError): void {
  const { code, retryAfterMs } = error.extensions;
  const status = statuses[code as ErrorCode]; // toClientError gives every error one of the codes
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Cache-Control': 'no-store',
    ...(typeof retryAfterMs === 'number' ? { 'Retry-After': Math.ceil(retryAfterMs / 1_000) } : {}),
  });
  response.end(JSON.stringify({ errors: [error] }));
}
