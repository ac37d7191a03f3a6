import { randomUUID } from 'node:crypto';
import type { Scope } from '../../core/contracts/api-key-store.ts';
import type { TestGateway } from './gateway.ts';

export interface CreatedKey {
  readonly id: string;
  readonly secret: string;
  readonly prefix: string;
  readonly headers: { readonly authorization: string };
}

export interface KeyWish {
  readonly name?: string;
  readonly tenant?: string;
  readonly scopes: readonly Scope[];
  readonly limits?: object;
  readonly expiresAt?: string;
}

export const createKeyMutation = `mutation ($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { secret apiKey { id name prefix tenant scopes expiresAt } }
}`;

/** A key as its keeper gets it; `keeper` is the secret of a key that may make others, left out in open mode. */
export async function createKey(gateway: TestGateway, wish: KeyWish, keeper?: string): Promise<CreatedKey> {
  const input = { name: `key ${randomUUID()}`, ...wish };
  const { data, errors } = await gateway.request<Created, unknown>(
    createKeyMutation,
    { input },
    { headers: bearer(keeper) },
  );
  if (!data?.createApiKey) throw new Error(`no key was created: ${JSON.stringify(errors)}`);
  const { secret, apiKey } = data.createApiKey;
  return { secret, id: apiKey.id, prefix: apiKey.prefix, headers: { authorization: `Bearer ${secret}` } };
}

export async function revokeKey(gateway: TestGateway, id: string, keeper: string): Promise<number | undefined> {
  const mutation = 'mutation ($id: ID!) { revokeApiKey(id: $id) { deletedCount } }';
  const { data } = await gateway.request<{ revokeApiKey: { deletedCount: number } | null }, unknown>(
    mutation,
    { id },
    { headers: bearer(keeper) },
  );
  return data?.revokeApiKey?.deletedCount;
}

const bearer = (secret: string | undefined): Record<string, string> =>
  secret === undefined ? {} : { authorization: `Bearer ${secret}` };

interface Created {
  readonly createApiKey: {
    readonly secret: string;
    readonly apiKey: { readonly id: string; readonly prefix: string };
  } | null;
}
