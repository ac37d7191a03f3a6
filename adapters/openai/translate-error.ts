import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { errors } from 'undici';
import { GatewayError, type UpstreamFault } from '../../core/contracts/gateway-error.ts';
import { isRecord, quoted, type Upstream } from './upstream.ts';

/**
 * The account or the input is at fault, not the moment: another try of the same does not help, whatever the status says. With what it
 * was about, where something else may help.
 */
const rejectedCodes: ReadonlyMap<string, UpstreamFault | null> = new Map([
  ['insufficient_quota', 'KEY'],
  ['billing_hard_limit_reached', 'KEY'],
  ['billing_not_active', 'KEY'],
  ['context_length_exceeded', 'CONTEXT_LENGTH'],
  // llama.cpp's
  ['exceed_context_size_error', 'CONTEXT_LENGTH'],
  ['content_filter', 'CONTENT_FILTER'],
  ['content_policy_violation', 'CONTENT_FILTER'],
  ['string_above_max_length', null],
  ['invalid_prompt', null],
]);

/** Servers without a code for it (vLLM, Ollama, TGI) say it in words. */
const contextWords = /maximum context length|context window|exceeds? the (available )?context|prompt is too long/i;

/** What undici says of a call that was not one: a header that cannot be sent, for example. */
const ownFaults: ReadonlySet<unknown> = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_INVALID_RETURN_VALUE',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
]);

const retryableStatuses = new Set([408, 409, 425]);

/**
 * Whatever the SDK, fetch or a body stream threw, as the one error that core knows; the only place where `retryable` is
 * decided. Answers of the provider carry no `cause`: it would hold the answer unredacted, and a log prints causes.
 */
export function translateError(error: unknown, upstream: Upstream, signal: AbortSignal): GatewayError {
  if (signal.aborted) return cancelled(signal);
  if (error instanceof GatewayError) return error;
  if (error instanceof APIError && error.status !== undefined) {
    const answer = error.error ?? error.message.replace(/^\d{3} /, '');
    return translateAnswer(error.status, answer, error.headers, upstream);
  }
  if (!(error instanceof APIConnectionError) && !isConnectionFault(error)) {
    return new GatewayError('INTERNAL', `calling ${upstream.name} failed unexpectedly`, { cause: error });
  }
  const reason = error instanceof APIConnectionTimeoutError ? 'ETIMEDOUT' : connectionFault(error);
  return new GatewayError(
    'UPSTREAM_UNAVAILABLE',
    `${upstream.name} at ${upstream.address} could not be reached, or closed the connection before the end of its reply (${reason})`,
    { retryable: true, cause: error },
  );
}

export function cancelled(signal: AbortSignal): GatewayError {
  return new GatewayError('CANCELLED', 'the call was cancelled before its end', { cause: signal.reason });
}

/** An error that the provider sent inside a reply of status 200: in the stream, or as the body. */
export function translateSentError(sent: unknown, upstream: Upstream): GatewayError {
  return translateAnswer(sentStatus(sent), sent, undefined, upstream);
}

function translateAnswer(
  status: number,
  answer: unknown,
  headers: Headers | undefined,
  upstream: Upstream,
): GatewayError {
  const codes = [textField(answer, 'code') ?? '', textField(answer, 'type') ?? ''];
  const said = quoted(upstream, words(answer));
  const what = `${upstream.name} answered ${status}${said === '' ? '' : `: ${said}`}`;
  const retryAfterMs = headers === undefined ? undefined : retryAfter(headers);
  const details = retryAfterMs === undefined ? {} : { retryAfterMs };

  if (status === 401 || status === 403) {
    // Nothing of the answer: providers like to repeat a part of the key here.
    const message = `${upstream.name} at ${upstream.address} refused the gateway's own key or its permissions (${status}); ask the operator to check the provider's configuration`;
    return new GatewayError('UPSTREAM_UNAVAILABLE', message, { retryable: false, upstreamFault: 'KEY' });
  }
  const rejected = codes.find((code) => rejectedCodes.has(code));
  if (rejected !== undefined) {
    return new GatewayError('UPSTREAM_REJECTED', what, { upstreamFault: rejectedCodes.get(rejected) ?? null });
  }
  if (status === 429) return new GatewayError('RATE_LIMITED', what, { retryable: true, details });
  if (status >= 500 || retryableStatuses.has(status)) {
    return new GatewayError('UPSTREAM_UNAVAILABLE', what, { retryable: true, details });
  }
  if (status >= 400)
    return new GatewayError('UPSTREAM_REJECTED', what, { upstreamFault: faultOf(status, codes, said) });
  return new GatewayError('UPSTREAM_UNAVAILABLE', `${what}; expected 200: is its base URL right?`);
}

function faultOf(status: number, codes: readonly string[], said: string): UpstreamFault | null {
  if (contextWords.test(said)) return 'CONTEXT_LENGTH';
  return status === 404 || codes.includes('model_not_found') ? 'UNKNOWN_MODEL' : null;
}

/** What a client can be told of the answer: its own message, wherever the dialect keeps it. */
function words(answer: unknown): string {
  if (typeof answer === 'string') return answer;
  for (const name of ['message', 'detail', 'error']) {
    const text = textField(answer, name);
    if (text !== undefined) return text;
  }
  return answer === undefined || answer === null ? '' : JSON.stringify(answer);
}

function textField(answer: unknown, name: string): string | undefined {
  const value = isRecord(answer) ? answer[name] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Gateways in front of providers send the status as a numeric code; others only a name. */
function sentStatus(sent: unknown): number {
  const code = isRecord(sent) ? Number(sent['code'] ?? sent['status']) : Number.NaN;
  if (Number.isInteger(code) && code >= 400 && code <= 599) return code;
  const names = [textField(sent, 'code'), textField(sent, 'type')];
  if (names.includes('rate_limit_exceeded')) return 429;
  return names.includes('invalid_request_error') ? 400 : 500;
}

/** Milliseconds from `retry-after-ms`, or from `retry-after` in seconds or as a date (RFC 9110, 10.2.3). */
function retryAfter(headers: Headers): number | undefined {
  const exact = headers.get('retry-after-ms');
  if (exact !== null && Number.isFinite(Number.parseFloat(exact)))
    return Math.max(0, Math.ceil(Number.parseFloat(exact)));
  const value = headers.get('retry-after');
  if (value === null || value.trim() === '') return undefined;
  const seconds = Number(value);
  const wait = Number.isNaN(seconds) ? Date.parse(value) - Date.now() : seconds * 1000;
  return Number.isFinite(wait) ? Math.max(0, Math.ceil(wait)) : undefined;
}

/** What happened to the connection, in the system's own word or undici's: the first on the way down the causes. */
function connectionFault(error: unknown): string {
  let cause = error;
  while (cause instanceof Error) {
    if (isConnectionFault(cause)) return isUndicis(cause) ? cause.message : String(codeOf(cause));
    if (cause.cause === undefined) return cause.message;
    cause = cause.cause;
  }
  return String(cause);
}

/** Node gives every failure of a socket, a look-up or a handshake a code. So do its TypeErrors have one, but those are faults of our own. */
function isConnectionFault(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof TypeError) return false;
  return isUndicis(error) ? !ownFaults.has(codeOf(error)) : typeof codeOf(error) === 'string';
}

function isUndicis(error: Error): boolean {
  return error instanceof errors.UndiciError || error instanceof errors.HTTPParserError;
}

function codeOf(error: Error): unknown {
  return 'code' in error ? error.code : undefined;
}
