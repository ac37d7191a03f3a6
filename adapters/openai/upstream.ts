import { GatewayError } from '../../core/contracts/gateway-error.ts';

/** Longest piece of a provider's own words that is passed on. */
const MAX_QUOTED_CHARS = 500;

/** Shorter ones are no secrets, and removing them would garble words. */
const MIN_SECRET_CHARS = 6;

/** Who is called, as messages may name it. */
export interface Upstream {
  readonly name: string;
  /** host:port of the base URL. */
  readonly address: string;
  /** What must never stand in a message: the key and the values of configured headers. */
  readonly secrets: readonly string[];
}

/** The provider's words, fit for a message: on one line, bounded, and without the key, whole or masked. */
export function quoted(upstream: Upstream, text: string): string {
  let clean = text.replace(/\s+/g, ' ').trim();
  for (const secret of upstream.secrets) {
    if (secret.length >= MIN_SECRET_CHARS) clean = clean.replaceAll(secret, '[redacted]');
  }
  clean = clean
    .replace(/\bBearer\s+[^\s"',]+/gi, 'Bearer [redacted]')
    .replace(/\bsk-[\w*.-]{4,}/g, '[redacted]')
    .replace(/[\w-]*\*{3,}[\w*-]*/g, '[redacted]');
  return clean.length > MAX_QUOTED_CHARS ? `${clean.slice(0, MAX_QUOTED_CHARS)}…` : clean;
}

/** The provider answered, but not as the protocol has it. The same call may go well the next time. */
export function malformed(upstream: Upstream, expected: string, came: string): GatewayError {
  return new GatewayError(
    'UPSTREAM_UNAVAILABLE',
    `${upstream.name} sent a malformed reply: expected ${expected}, got ${quoted(upstream, came)}`,
    { retryable: true },
  );
}

/** A parsed JSON object, as opposed to every other JSON value. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
