import { type ErrorCode, type ErrorDetails, GatewayError } from '../../contracts/gateway-error.ts';

/** The pool's own no, before any provider call: worth a retry by the client, never one by the pool itself. */
export class Refusal extends GatewayError {
  constructor(code: ErrorCode, message: string, details: ErrorDetails) {
    super(code, message, { retryable: true, details });
  }
}
