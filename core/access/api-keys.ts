import { randomUUID } from 'node:crypto';
import type { ApiKeyRecord, ApiKeyStore, Scope } from '../contracts/api-key-store.ts';
import type { Clock } from '../contracts/clock.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { Logger } from '../contracts/logger.ts';
import { checkNewKey, type NewKeyInput } from './check-new-key.ts';
import { newSecret } from './key-secret.ts';

/** Who makes or revokes a key: somebody with scopes in a tenant, or whoever sits at the database. */
export interface KeyKeeper {
  readonly tenant: string;
  readonly keyName: string | null;
  readonly scopes: readonly Scope[];
}

export interface KeyServices {
  readonly apiKeys: Pick<ApiKeyStore, 'create' | 'revoke'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Hears of every change: this instance forgets what it knew of the key, and tells the others. */
  readonly keyChanged: (prefix: string) => void;
}

/** A key with its secret, which is known to nobody afterwards. FORBIDDEN beyond what the keeper's own scopes let him give. */
export async function createApiKey(
  { apiKeys, clock, logger, keyChanged }: KeyServices,
  keeper: KeyKeeper,
  input: Omit<NewKeyInput, 'tenant'> & { readonly tenant: string | null },
): Promise<{ readonly apiKey: ApiKeyRecord; readonly secret: string }> {
  const key: NewKeyInput = { ...input, tenant: input.tenant ?? keeper.tenant, scopes: [...new Set(input.scopes)] };
  assertMayCreate(keeper, key);
  checkNewKey(key, clock.now());
  const { secret, prefix, hash } = newSecret();
  const apiKey = await apiKeys.create({ ...key, id: randomUUID(), prefix, hash });
  keyChanged(prefix);
  logger.info({ tenant: apiKey.tenant, prefix, scopes: apiKey.scopes, by: keeper.keyName }, 'an API key was created');
  return { apiKey, secret };
}

/** 1: revoked; 0: it was already. NOT_FOUND for an unknown id, and for one of a tenant that the keeper does not keep. */
export async function revokeApiKey(
  { apiKeys, logger, keyChanged }: KeyServices,
  keeper: KeyKeeper,
  id: string,
  shownId: string,
): Promise<{ readonly deletedCount: number; readonly key: ApiKeyRecord }> {
  const revoked = await apiKeys.revoke(isOperator(keeper) ? null : keeper.tenant, id);
  if (revoked === null) throw new GatewayError('NOT_FOUND', `There is no API key ${shownId}.`);
  const { key, revokedNow } = revoked;
  keyChanged(key.prefix);
  if (revokedNow) logger.info({ tenant: key.tenant, prefix: key.prefix, by: keeper.keyName }, 'an API key was revoked');
  return { deletedCount: revokedNow ? 1 : 0, key };
}

/** The tenant whose keys are asked for; FORBIDDEN for one that the keeper does not keep. */
export function keptTenant(keeper: KeyKeeper, asked: string | null | undefined): string {
  if (asked == null || asked === keeper.tenant) return keeper.tenant;
  if (isOperator(keeper)) return asked;
  throw new GatewayError('FORBIDDEN', 'Keys of another tenant need the scope OPERATOR, which this key does not have.');
}

function assertMayCreate(keeper: KeyKeeper, key: NewKeyInput): void {
  keptTenant(keeper, key.tenant);
  if (!key.scopes.includes('OPERATOR') || isOperator(keeper)) return;
  throw new GatewayError('FORBIDDEN', 'The scope OPERATOR can only be given by a key that has it.');
}

const isOperator = ({ scopes }: KeyKeeper): boolean => scopes.includes('OPERATOR');
