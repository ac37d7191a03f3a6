import { createHash, timingSafeEqual } from 'node:crypto';
import type { Principal } from '../../../context.ts';

export const metricsPath = '/metrics';

/** Why somebody may not read the metrics; null: may. */
export type MetricsRefusal = 'UNAUTHENTICATED' | 'FORBIDDEN' | null;

/**
 * Figures of all tenants: for operators. Open where the whole gateway is, unless there is a token of their own; otherwise that token, or a
 * key with the scope OPERATOR.
 */
export function metricsRefusal(
  authorization: string | undefined,
  principal: Principal | null,
  token: string | undefined,
): MetricsRefusal {
  if (token !== undefined && isToken(authorization, token)) return null;
  if (principal === null) return 'UNAUTHENTICATED';
  const isOpen = principal.keyName === null;
  if (isOpen) return token === undefined ? null : 'UNAUTHENTICATED';
  return principal.scopes.includes('OPERATOR') ? null : 'FORBIDDEN';
}

function isToken(authorization: string | undefined, token: string): boolean {
  const [, given] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
  // Digests have one length, so the comparison takes the same time whatever was sent.
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}

const digest = (value: string): Buffer => createHash('sha256').update(value).digest();
