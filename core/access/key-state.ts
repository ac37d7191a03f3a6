import type { ApiKeyRecord } from '../contracts/api-key-store.ts';
import { GatewayError } from '../contracts/gateway-error.ts';

/** Why a key opens nothing any more. */
export type KeyEnd = 'revoked' | 'expired';

/** Null: the key is good. */
export function endOf({ revokedAt, expiresAt }: ApiKeyRecord, nowMs: number): KeyEnd | null {
  if (revokedAt !== null) return 'revoked';
  return expiresAt !== null && expiresAt.getTime() <= nowMs ? 'expired' : null;
}

/** What whoever holds a connection open by the key is told. */
export function keyEnded({ name, prefix }: Pick<ApiKeyRecord, 'name' | 'prefix'>, end: KeyEnd): GatewayError {
  const message = end === 'revoked' ? 'was revoked' : 'has expired';
  return new GatewayError('UNAUTHENTICATED', `The API key "${name}" (${prefix}) ${message}: connect with another one.`);
}
