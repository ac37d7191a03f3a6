import { GatewayError } from '../../core/contracts/gateway-error.ts';

/** What Redis answers while it starts, fails over, reshards, or has no room: the same command may succeed later. */
const passing =
  /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|BUSY|MISCONF|OOM|NOREPLICAS|EXECABORT|UNKILLABLE)\b/;

/** The connection was the trouble, or a state of the server that passes. Whether a command took effect is then unknown. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof GatewayError || error instanceof TypeError) return false;
  // Everything but an answer of Redis is the driver's word for a connection that is not there.
  return error.name !== 'ReplyError' || passing.test(error.message);
}

export function unavailable(what: string, waitedMs: number, cause: unknown): GatewayError {
  return new GatewayError('UPSTREAM_UNAVAILABLE', `${what}: Redis could not be reached for ${waitedMs} ms.`, {
    retryable: true,
    cause,
  });
}

/** An answer of Redis that no second try changes. Its words stay in `cause`. */
export function refused(what: string, cause: unknown): GatewayError {
  return new GatewayError('INTERNAL', `${what}: Redis refused the command.`, { cause });
}
