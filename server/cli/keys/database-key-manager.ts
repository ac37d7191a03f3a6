import { postgresApiKeyStore } from '../../../adapters/postgres/api-key-store.ts';
import { openDatabase } from '../../../adapters/postgres/open-database.ts';
import { createApiKey, type KeyKeeper, revokeApiKey } from '../../../core/access/api-keys.ts';
import { type ApiKeyRecord, scopes } from '../../../core/contracts/api-key-store.ts';
import type { Logger } from '../../../core/contracts/logger.ts';
import type { Config } from '../../config/config-schema.ts';
import { realClock } from '../../real-clock.ts';
import { CommandError } from '../command-error.ts';
import type { KeyManager, ShownKey } from './key-manager.ts';

/** Whoever may write to the database may do everything with it. */
const keeper: KeyKeeper = { tenant: 'default', keyName: 'sluice key', scopes };
const pageSize = 100;
const silence = () => {};
/** The command says on its own what it did. */
const silent: Logger = { debug: silence, info: silence, warn: silence, error: silence, child: () => silent };

/** Rejects with CONFLICT while a gateway has the embedded database. Gateways on a server notice within seconds. */
export async function databaseKeyManager({ dataDir, databaseUrl, database: options }: Config): Promise<KeyManager> {
  const database = await openDatabase({ dataDir, ...options, ...(databaseUrl === undefined ? {} : { databaseUrl }) });
  const apiKeys = postgresApiKeyStore(database);
  const services = { apiKeys, clock: realClock, logger: silent, keyChanged: silence };
  return {
    async create(wish) {
      const { apiKey, secret } = await createApiKey(services, keeper, wish);
      return { key: shown(apiKey), secret };
    },

    async *list(tenant) {
      for (let after: readonly (string | number)[] | null = null; ; ) {
        const page: Awaited<ReturnType<typeof apiKeys.list>> = await apiKeys.list(tenant ?? keeper.tenant, {
          first: pageSize,
          after,
        });
        for (const { item } of page.items) yield shown(item);
        if (!page.hasNext) return;
        after = page.items.at(-1)?.key ?? null;
      }
    },

    async revoke(prefix) {
      const [key] = await apiKeys.byPrefixes([prefix]);
      if (key === undefined) throw new CommandError(`there is no key ${prefix}: sluice key list shows them`);
      return (await revokeApiKey(services, keeper, key.id, prefix)).deletedCount === 1;
    },

    [Symbol.asyncDispose]: () => database.close(),
  };
}

function shown(key: ApiKeyRecord): ShownKey {
  const text = (date: Date | null): string | null => date?.toISOString() ?? null;
  return {
    name: key.name,
    prefix: key.prefix,
    tenant: key.tenant,
    scopes: key.scopes,
    limits: key.limits,
    createdAt: key.createdAt.toISOString(),
    expiresAt: text(key.expiresAt),
    lastUsedAt: text(key.lastUsedAt),
    revokedAt: text(key.revokedAt),
  };
}
