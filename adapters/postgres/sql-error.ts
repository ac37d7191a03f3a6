import { GatewayError } from '../../core/contracts/gateway-error.ts';

/**
 * Connection and resource failures, deadlocks, serialization failures, shutdown, a server that has become a standby: the same
 * call may succeed later.
 */
const retryableStates = /^(08|53|57P|25P03|25006|40001|40P01|55P03|57014)/;
/** Of these the connection is gone, or leads to a server that no longer takes writes. A pooler's own failures are 08P01. */
const connectionStates = /^(08|57P|25P03|25006)/;
/** What the driver and the socket say when the connection is gone; they have no SQLSTATE. */
const connectionFailure =
  /ECONNREFUSED|ECONNRESET|EPIPE|ENOENT|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|timeout exceeded|Connection terminated|not queryable|Client was closed/;

/** The five characters by which PostgreSQL names a failure; null when the failure is not PostgreSQL's. */
export function sqlState(error: unknown): string | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string' && /^[0-9A-Z]{5}$/.test(cause.code)) return cause.code;
  }
  return null;
}

export function isUniqueViolation(error: unknown): boolean {
  return sqlState(error) === '23505';
}

/** The connection, not the statement, was the trouble. */
export function isConnectionFailure(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== null) return connectionStates.test(state);
  if (error instanceof GatewayError) return isConnectionFailure(error.cause);
  return error instanceof Error && (connectionFailure.test(error.message) || connectionFailure.test(codeOf(error)));
}

/**
 * The one place where failures of the database become a GatewayError. PostgreSQL's own words stay in `cause`: they may
 * hold stored text.
 */
export function toGatewayError(name: string, error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const state = sqlState(error);
  if (state === '22021' || state === '22P05' || isJsonText(state, error)) {
    return new GatewayError('BAD_INPUT', 'expected text of valid Unicode without NUL characters', { cause: error });
  }
  const what =
    state === null ? `database statement ${name} failed` : `database statement ${name} failed with SQLSTATE ${state}`;
  const retryable = state === null ? isConnectionFailure(error) : retryableStates.test(state);
  return new GatewayError('INTERNAL', what, { retryable, cause: error });
}

export function tookTooLong(name: string, statementTimeoutMs: number | undefined, error: unknown): GatewayError {
  const what = `database statement ${name} was stopped: it took longer than database.statementTimeoutMs (${statementTimeoutMs})`;
  return new GatewayError('INTERNAL', what, { retryable: true, cause: error });
}

export function cancelled(name: string, signal: AbortSignal): GatewayError {
  return new GatewayError('CANCELLED', `database statement ${name} was cancelled`, { cause: signal.reason });
}

/** JSON that jsonb refuses: half a surrogate pair. */
function isJsonText(state: string | null, error: unknown): boolean {
  return state === '22P02' && error instanceof Error && error.message.includes('type json');
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
