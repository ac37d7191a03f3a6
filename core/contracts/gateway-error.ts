/** Closed list of what a client can be told; the same names stand in the schema's ErrorCode. */
export const errorCodes = [
  'BAD_INPUT',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'NOT_FOUND',
  'CONFLICT',
  'RATE_LIMITED',
  'BUDGET_EXCEEDED',
  'QUERY_TOO_COMPLEX',
  'UPSTREAM_TIMEOUT',
  'UPSTREAM_UNAVAILABLE',
  'UPSTREAM_REJECTED',
  'CANCELLED',
  'INTERNAL',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

export function isErrorCode(value: unknown): value is ErrorCode {
  return (errorCodes as readonly unknown[]).includes(value);
}

/** Which of a provider call's three deadlines ran out. */
export type TimeoutPhase = 'FIRST_TOKEN' | 'IDLE' | 'TOTAL';

/**
 * What a provider's refusal was about, where that decides what is done about it: another key, another model, or nothing. The pool
 * reads it; clients don't see it.
 */
export type UpstreamFault = 'KEY' | 'UNKNOWN_MODEL' | 'CONTEXT_LENGTH' | 'CONTENT_FILTER';

/** What stands beside `code` in a GraphQL error's extensions. */
export interface ErrorDetails {
  readonly retryAfterMs?: number;
  readonly phase?: TimeoutPhase;
  /** Provider calls that were made before giving up. */
  readonly attempts?: number;
  readonly cost?: number;
  readonly limit?: number;
  /** RFC 3339: when a budget that is spent begins anew. */
  readonly renewsAt?: string;
  readonly requestId?: string;
  readonly runId?: string;
  /** JSON Schema faults, configuration faults and the like: one line each, with their path. */
  readonly issues?: readonly string[];
}

/**
 * The only error that reaches a client with its own message; everything else is masked as INTERNAL, and so is one with
 * that code, which keeps `retryable`. `message` says what was expected and what came, and never holds a secret.
 */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  /** The same call may succeed later. Adapters decide it once, when they translate. */
  readonly retryable: boolean;
  readonly details: ErrorDetails;
  readonly upstreamFault: UpstreamFault | null;

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      readonly retryable?: boolean;
      readonly details?: ErrorDetails;
      readonly upstreamFault?: UpstreamFault | null;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'GatewayError';
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
    this.upstreamFault = options.upstreamFault ?? null;
  }
}
