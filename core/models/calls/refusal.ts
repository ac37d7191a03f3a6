import { type ErrorCode, type ErrorDetails, GatewayError } from '../../contracts/gateway-error.ts';

/** The pool's own no, before any provider call: worth a retry by the client, never one by the pool itself. */
export class Refusal extends GatewayError {
  constructor(code: ErrorCode, message: string, details: ErrorDetails) {
    super(code, message, { retryable: true, details });
  }
}

/** A refusal that ends with time: the provider asked for a pause, or a rate per minute is used up. */
export class Busy extends Refusal {
  constructor(label: string, readyInMs: number) {
    const retryAfterMs = Math.ceil(readyInMs);
    super(
      'RATE_LIMITED',
      `${label} is at a limit (one per minute, or the pause that its provider asked for) for another ${retryAfterMs} ms, longer than this call can wait`,
      { retryAfterMs },
    );
  }
}
