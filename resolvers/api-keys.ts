import type { Context } from '../context.ts';
import { createApiKey as createInCore, keptTenant, revokeApiKey as revokeInCore } from '../core/access/api-keys.ts';
import type { ApiKeyRecord, Scope } from '../core/contracts/api-key-store.ts';
import { assertStorable } from '../core/text/normalise.ts';
import { type Connection, connectionOf, type PageArgs, pageOf } from './connection.ts';
import { decodeId } from './global-id.ts';

export async function listApiKeys(
  args: PageArgs & { readonly tenant?: string | null | undefined },
  { services, principal, signal }: Context,
): Promise<Connection<ApiKeyRecord>> {
  const tenant = keptTenant(principal, args.tenant);
  assertStorable(tenant, 'tenant');
  const scope = `apiKeys:${tenant}`;
  const page = pageOf(scope, args, services.limits.maxFirst);
  return connectionOf(scope, await services.apiKeys.list(tenant, page, signal), args);
}

export async function keyById(id: string, { services, principal, signal }: Context): Promise<ApiKeyRecord | null> {
  const [key] = await services.apiKeys.byIds(principal.tenant, [id], signal);
  return key ?? null;
}

export interface CreateApiKeyArgs {
  readonly name: string;
  readonly tenant?: string | null | undefined;
  readonly scopes: readonly Scope[];
  readonly limits?:
    | {
        readonly requestsPerMinute?: number | null | undefined;
        readonly tokensPerMinute?: number | null | undefined;
        readonly budgetUsdPerDay?: number | null | undefined;
        readonly maxConcurrentRuns?: number | null | undefined;
      }
    | null
    | undefined;
  readonly allowUnknownPrice?: boolean | null | undefined;
  readonly expiresAt?: Date | null | undefined;
}

export function createApiKey(input: CreateApiKeyArgs, { services, principal }: Context) {
  const { limits } = input;
  return createInCore(services, principal, {
    name: input.name,
    tenant: input.tenant ?? null,
    scopes: input.scopes,
    limits: {
      requestsPerMinute: limits?.requestsPerMinute ?? null,
      tokensPerMinute: limits?.tokensPerMinute ?? null,
      budgetUsdPerDay: limits?.budgetUsdPerDay ?? null,
      maxConcurrentRuns: limits?.maxConcurrentRuns ?? null,
    },
    allowUnknownPrice: input.allowUnknownPrice ?? false,
    expiresAt: input.expiresAt ?? null,
  });
}

export async function revokeApiKey({ id }: { readonly id: string }, { services, principal }: Context) {
  const { deletedCount } = await revokeInCore(services, principal, decodeId('ApiKey', id, 'id'), id);
  return { deletedCount };
}
