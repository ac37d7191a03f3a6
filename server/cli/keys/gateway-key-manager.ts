import type { Connection } from '../client/connection.ts';
import { request } from '../client/request.ts';
import { CommandError } from '../command-error.ts';
import type { KeyManager, ShownKey } from './key-manager.ts';
import { createKeyOperation, type ListedKeys, listKeysOperation, revokeKeyOperation } from './key-operations.ts';

/** Through a gateway that runs, with a key that may make keys. */
export function gatewayKeyManager(connection: Connection, signal: AbortSignal): KeyManager {
  async function* list(tenant: string | null): AsyncGenerator<ShownKey & { readonly id: string }> {
    let after: string | null = null;
    do {
      const page: ListedKeys = await request(connection, listKeysOperation, { tenant, after }, signal);
      const { edges, pageInfo } = page.apiKeys;
      for (const { node } of edges) yield node;
      after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    } while (after !== null);
  }

  return {
    list,

    async create(wish) {
      const { createApiKey } = await request(connection, createKeyOperation, { input: wish }, signal);
      return { key: createApiKey.apiKey, secret: createApiKey.secret };
    },

    async revoke(prefix, tenant) {
      for await (const { id, prefix: candidate } of list(tenant)) {
        if (candidate !== prefix) continue;
        const { revokeApiKey } = await request(connection, revokeKeyOperation, { id }, signal);
        return revokeApiKey.deletedCount === 1;
      }
      throw new CommandError(`there is no key ${prefix}: sluice key list shows them, --tenant those of another tenant`);
    },

    [Symbol.asyncDispose]: async () => {},
  };
}
